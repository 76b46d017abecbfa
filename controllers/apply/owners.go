package apply

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Owner is a manager of a field.
type Owner struct {
	// Manager is its name, and Subresource what it wrote through; empty: the object itself.
	Manager, Subresource string
	// Applied is true if it wrote by server-side apply.
	Applied bool
}

// Owners are those of the field at path, as in "spec", "replicas", in the order of managedFields,
// which obj must carry. Several own a field that they agree on.
func Owners(obj client.Object, path ...any) ([]Owner, error) {
	field, err := fieldpath.MakePath(path...)
	if err != nil {
		return nil, err
	}
	var owners []Owner
	for _, e := range obj.GetManagedFields() {
		if e.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil {
			return nil, fmt.Errorf("reading what %s owns of %s: %w", e.Manager, obj.GetName(), err)
		}
		if set.Has(field) {
			owners = append(owners, Owner{
				Manager: e.Manager, Subresource: e.Subresource,
				Applied: e.Operation == metav1.ManagedFieldsOperationApply,
			})
		}
	}
	return owners, nil
}
