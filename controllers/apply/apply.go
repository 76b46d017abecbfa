// Package apply decides whether a server-side apply would change anything.
//
// A hash of what was last applied is not enough: an edit by hand leaves it as it was. So the
// live object is held against the desired one the way the API server would do it, with the
// schema of the kind and with what managedFields say about ownership. Applying is needless
// exactly if
//
//  1. the fields that our manager owns are the fields that we want: a field that somebody else
//     changed has left our set, one that we no longer want is still in it; and
//  2. merging the desired object into the live one changes no value; and
//  3. the lists that are all ours (a Service's ports) hold no items but those that we want.
//
// Fields of others (node ports, cluster IPs, foreign annotations, an autoscaler's replicas) are
// in neither set and so never count.
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

// NewComparer returns a Comparer for the kinds of the scheme that client-go knows the schema of,
// and for the fields of the given field manager.
func NewComparer(scheme *runtime.Scheme, manager string) *Comparer {
	return &Comparer{
		scheme:    scheme,
		converter: applyconfigurations.NewTypeConverter(scheme),
		manager:   manager,
	}
}

// Difference says what applying desired, by force, would change in live, by the paths of the fields
// and never by their values; empty if it would leave live as it is. live must carry its
// managedFields. An error means that the two can't be compared (a kind without schema, a
// malformed object); the caller does best to apply then.
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

// ValueChanged reports whether a Difference is of values alone: our manager owns what it wants, and
// somebody gave a field another value without taking it over, as only an apply by our name does.
func ValueChanged(difference string) bool { return strings.HasPrefix(difference, toChange) }

// Fingerprint identifies the desired object together with what live has of it: which of the fields
// our manager owns, and the values of those that are desired. Taken of what an apply answered, it
// tells later on that live still is as that apply of the same object left it, even where there is a
// Difference that no apply can end: the API server fills in defaults inside lists that are
// replaced whole, and admission webhooks change what they are given.
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

// pair is a live and a desired object, ready to be compared.
type pair struct {
	kind, version string
	live, desired *typed.TypedValue
	// wanted are the fields of the desired object; owned those that our manager has applied, nil if none.
	wanted, owned *fieldpath.Set
	// surplus are the items of lists that are all ours which live has and desired has not.
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

// identity are the fields that the API server keeps out of managedFields, since they say which
// object is meant and are nobody's.
var identity = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"),
	fieldpath.MakePathOrDie("kind"),
	fieldpath.MakePathOrDie("metadata"),
	fieldpath.MakePathOrDie("metadata", "name"),
	fieldpath.MakePathOrDie("metadata", "namespace"),
	fieldpath.MakePathOrDie("metadata", "uid"),
	fieldpath.MakePathOrDie("metadata", "resourceVersion"),
)

// ownedFields is the set that manager has applied in the given version; nil if there is none.
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
