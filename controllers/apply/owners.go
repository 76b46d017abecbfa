package apply

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Owner is a field manager that owns a field.
type Owner struct {
	// Manager is the manager's name, and Subresource the subresource through which it wrote; empty: the object
	// itself.
	Manager, Subresource string
	// Applied is true if the manager wrote by server-side apply.
	Applied bool
}

// Owners returns the owners of the field at path, as in "spec", "replicas", in the order of managedFields. obj must
// carry its managedFields. A field on whose value several managers agree has several owners.
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
