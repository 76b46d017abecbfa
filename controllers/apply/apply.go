// Package apply decides whether a server-side apply would change anything.
//
// A hash of what was last applied is not enough: an edit by hand leaves it as it was. So the
// live object is held against the desired one the way the API server would do it, with the
// schema of the kind and with what managedFields say about ownership. Applying is needless
// exactly if
//
//  1. the fields that our manager owns are the fields that we want: a field that somebody else
//     changed has left our set, one that we no longer want is still in it; and
//  2. merging the desired object into the live one changes no value.
//
// Fields of others (node ports, cluster IPs, foreign annotations, an autoscaler's replicas) are
// in neither set and so never count.
package apply

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	applyconfigurations "k8s.io/client-go/applyconfigurations"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
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

// InSync reports whether applying desired, by force, would leave live as it is. live must carry
// its managedFields. An error means that the two can't be compared (a kind without schema, a
// malformed object); the caller does best to apply then.
func (c *Comparer) InSync(live client.Object, desired runtime.ApplyConfiguration) (bool, error) {
	want, err := toUnstructured(desired)
	if err != nil {
		return false, fmt.Errorf("reading the desired object: %w", err)
	}
	gvk, err := apiutil.GVKForObject(live, c.scheme)
	if err != nil {
		return false, err
	}
	if want.GroupVersionKind() != gvk {
		return false, fmt.Errorf("desired object is a %s, the live one a %s", want.GroupVersionKind(), gvk)
	}
	have, err := toUnstructured(live)
	if err != nil {
		return false, fmt.Errorf("reading the live %s: %w", gvk.Kind, err)
	}
	have.SetGroupVersionKind(gvk)

	wantTyped, err := c.converter.ObjectToTyped(want)
	if err != nil {
		return false, fmt.Errorf("desired %s does not follow its schema: %w", gvk.Kind, err)
	}
	haveTyped, err := c.converter.ObjectToTyped(have)
	if err != nil {
		return false, fmt.Errorf("live %s does not follow its schema: %w", gvk.Kind, err)
	}

	wantSet, err := wantTyped.ToFieldSet()
	if err != nil {
		return false, fmt.Errorf("listing the fields of the desired %s: %w", gvk.Kind, err)
	}
	owned, err := ownedFields(live.GetManagedFields(), c.manager, gvk.GroupVersion())
	if err != nil {
		return false, fmt.Errorf("reading managedFields of the live %s: %w", gvk.Kind, err)
	}
	if owned == nil || !owned.Equals(wantSet.Difference(identity)) {
		return false, nil
	}

	merged, err := haveTyped.Merge(wantTyped)
	if err != nil {
		return false, fmt.Errorf("merging the desired %s into the live one: %w", gvk.Kind, err)
	}
	difference, err := haveTyped.Compare(merged)
	if err != nil {
		return false, fmt.Errorf("comparing the live %s: %w", gvk.Kind, err)
	}
	return difference.IsSame(), nil
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
