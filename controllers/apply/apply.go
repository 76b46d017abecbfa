// Package apply decides whether a server-side apply would change anything.
//
// A hash of what was last applied is not enough: an edit by hand does not change the hash. So the live object is
// compared with the desired one in the way of the API server: with the schema of the kind, and with the ownership
// that managedFields record. An apply is needless exactly if
//
//  1. the fields that our manager owns are the fields that we want: a field that another manager
//     changed has left our set, and one that we no longer want is still in it; and
//  2. merging the desired object into the live one changes no value; and
//  3. the lists that are all ours (a Service's ports) hold no items but those that we want.
//
// Fields of other managers (node ports, cluster IPs, foreign annotations, an autoscaler's replicas) are in neither
// set and so do not count.
package apply

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	applyconfigurations "k8s.io/client-go/applyconfigurations"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// Comparer compares live objects of the built-in kinds with apply configurations.
type Comparer struct {
	scheme    *runtime.Scheme
	converter managedfields.TypeConverter
	manager   string
}

// NewComparer returns a Comparer for the fields of the given field manager. It can compare the kinds of the scheme
// whose schema client-go knows.
func NewComparer(scheme *runtime.Scheme, manager string) *Comparer {
	return &Comparer{
		scheme:    scheme,
		converter: applyconfigurations.NewTypeConverter(scheme),
		manager:   manager,
	}
}

// Difference returns the paths of the fields that applying desired by force would change in live, never their values;
// it returns an empty string if the apply would change nothing. live must carry its managedFields. An error means
// that the two can't be compared (a kind without a schema, a malformed object); the caller should then apply.
func (c *Comparer) Difference(live client.Object, desired runtime.ApplyConfiguration) (string, error) {
	pair, err := c.pair(live, desired)
	if err != nil {
		return "", err
	}
	if pair.owned == nil {
		return "nothing of it was ever applied", nil
	}
	if !pair.owned.Equals(pair.wanted) {
		return fmt.Sprintf("to own: %s; to give up: %s", pair.wanted.Difference(pair.owned), pair.owned.Difference(pair.wanted)), nil
	}
	if !pair.surplus.Empty() {
		return fmt.Sprintf("to remove: %s", pair.surplus), nil
	}
	merged, err := pair.live.Merge(pair.desired)
	if err != nil {
		return "", fmt.Errorf("merging the desired %s into the live one: %w", pair.kind, err)
	}
	difference, err := pair.live.Compare(merged)
	if err != nil {
		return "", fmt.Errorf("comparing the live %s: %w", pair.kind, err)
	}
	if difference.IsSame() {
		return "", nil
	}
	return fmt.Sprintf(toChange+"%s", difference.Modified.Union(difference.Added).Union(difference.Removed)), nil
}

const toChange = "to change: "

// ValueChanged reports whether a Difference is about values alone: our manager owns the fields that it wants, and one
// of them has another value. Only an apply under our manager's name changes a value without taking over the field.
func ValueChanged(difference string) bool { return strings.HasPrefix(difference, toChange) }

// Fingerprint identifies the desired object together with its state in live: which of its fields our manager owns,
// and the values of the desired fields. Computed from the result of an apply, it shows later whether live still is as
// that apply left it. That works even if there is a Difference that no apply can remove: the API server fills in
// defaults inside lists that are replaced whole, and admission webhooks change what they receive.
func (c *Comparer) Fingerprint(live client.Object, desired runtime.ApplyConfiguration) (string, error) {
	pair, err := c.pair(live, desired)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, part := range []any{
		pair.desired.AsValue().Unstructured(),
		pair.live.ExtractItems(pair.wanted, typed.WithAppendKeyFields()).AsValue().Unstructured(),
	} {
		if err := json.NewEncoder(hash).Encode(part); err != nil {
			return "", fmt.Errorf("encoding %s: %w", pair.kind, err)
		}
	}
	for _, set := range []*fieldpath.Set{pair.owned, pair.surplus} {
		if set == nil || set.Empty() {
			continue
		}
		text, err := set.ToJSON()
		if err != nil {
			return "", fmt.Errorf("encoding the fields of %s: %w", pair.kind, err)
		}
		hash.Write(text)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// pair is a live and a desired object, ready for comparison.
type pair struct {
	kind, version string
	live, desired *typed.TypedValue
	// wanted are the fields of the desired object; owned are those that our manager has applied, nil if there are
	// none.
	wanted, owned *fieldpath.Set
	// surplus are the items that live has, and desired has not, in lists that are all ours.
	surplus *fieldpath.Set
}

func (c *Comparer) pair(live client.Object, desired runtime.ApplyConfiguration) (*pair, error) {
	want, err := toUnstructured(desired)
	if err != nil {
		return nil, fmt.Errorf("reading the desired object: %w", err)
	}
	gvk, err := apiutil.GVKForObject(live, c.scheme)
	if err != nil {
		return nil, err
	}
	if want.GroupVersionKind() != gvk {
		return nil, fmt.Errorf("desired object is a %s, the live one a %s", want.GroupVersionKind(), gvk)
	}
	have, err := toUnstructured(live)
	if err != nil {
		return nil, fmt.Errorf("reading the live %s: %w", gvk.Kind, err)
	}
	have.SetGroupVersionKind(gvk)

	p := &pair{kind: gvk.Kind, version: gvk.GroupVersion().String()}
	if p.desired, err = c.converter.ObjectToTyped(want); err != nil {
		return nil, fmt.Errorf("desired %s does not follow its schema: %w", gvk.Kind, err)
	}
	if p.live, err = c.converter.ObjectToTyped(have); err != nil {
		return nil, fmt.Errorf("live %s does not follow its schema: %w", gvk.Kind, err)
	}
	all, err := p.desired.ToFieldSet()
	if err != nil {
		return nil, fmt.Errorf("listing the fields of the desired %s: %w", gvk.Kind, err)
	}
	p.wanted = all.Difference(identity)
	present, err := p.live.ToFieldSet()
	if err != nil {
		return nil, fmt.Errorf("listing the fields of the live %s: %w", gvk.Kind, err)
	}
	p.surplus = surplus(gvk.GroupKind(), present, p.wanted)
	if p.owned, err = ownedFields(live.GetManagedFields(), c.manager, gvk.GroupVersion()); err != nil {
		return nil, fmt.Errorf("reading managedFields of the live %s: %w", gvk.Kind, err)
	}
	return p, nil
}

// identity are the fields that the API server keeps out of managedFields, since they identify the object and no
// manager owns them.
var identity = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"),
	fieldpath.MakePathOrDie("kind"),
	fieldpath.MakePathOrDie("metadata"),
	fieldpath.MakePathOrDie("metadata", "name"),
	fieldpath.MakePathOrDie("metadata", "namespace"),
	fieldpath.MakePathOrDie("metadata", "uid"),
	fieldpath.MakePathOrDie("metadata", "resourceVersion"),
)

// ownedFields returns the set of fields that manager has applied in the given version; nil if there is none.
func ownedFields(entries []metav1.ManagedFieldsEntry, manager string, version schema.GroupVersion) (*fieldpath.Set, error) {
	for _, e := range entries {
		if e.Manager != manager || e.Operation != metav1.ManagedFieldsOperationApply ||
			e.Subresource != "" || e.APIVersion != version.String() || e.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil {
			return nil, err
		}
		return set, nil
	}
	return nil, nil
}

func toUnstructured(obj any) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: content}, nil
}
