package apply

import (
	"bytes"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// A server-side apply that leaves a field out removes it only if no other manager owns it. Others come to
// own fields of ours without meaning it: a backup that is restored, an old kubectl apply, an edit that
// writes the whole object back. So before a field is left out, its ownership is taken from them.

// whole are the lists whose items are all ours, whoever wrote them: the spec says all there is to say
// of them, and an item too many leads connections astray.
var whole = map[schema.GroupKind][]fieldpath.Path{
	{Kind: "Service"}: {fieldpath.MakePathOrDie("spec", "ports")},
}

// TakeOver returns a JSON patch of live's managedFields after which applying desired removes what it no
// longer wants of the fields that our manager owns, and every item of the lists that are all ours; nil if
// applying desired does that as things are. The patch carries live's resource version. What others own by
// subresources, such as a status or an autoscaler's replicas, stays theirs.
func (c *Comparer) TakeOver(live client.Object, desired runtime.ApplyConfiguration) ([]byte, error) {
	pair, err := c.pair(live, desired)
	if err != nil {
		return nil, err
	}
	own := &fieldpath.Set{}
	if pair.owned != nil {
		own = pair.owned
	}
	gone := removal{exact: own.Difference(pair.wanted), below: pair.surplus}
	return c.takeOver(live, pair.version, gone)
}

// takeOver takes the fields that are to go from all managers but ours, and gives ours those that are below lists
// which are all ours, if it does not have them.
func (c *Comparer) takeOver(live client.Object, version string, gone removal) ([]byte, error) {
	var entries []metav1.ManagedFieldsEntry
	changed, mine := false, -1
	for _, e := range live.GetManagedFields() {
		if e.Subresource != "" || e.APIVersion != version || e.FieldsV1 == nil {
			entries = append(entries, e)
			continue
		}
		if e.Manager == c.manager && e.Operation == metav1.ManagedFieldsOperationApply {
			mine = len(entries)
			entries = append(entries, e)
			continue
		}
		set, err := fields(e)
		if err != nil {
			return nil, err
		}
		left := &fieldpath.Set{}
		for p := range set.All() {
			if !gone.has(p) {
				left.Insert(p.Copy())
			}
		}
		if left.Size() == set.Size() {
			entries = append(entries, e)
			continue
		}
		changed = true
		if left.Empty() {
			continue
		}
		if e.FieldsV1, err = encode(left); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if mine < 0 && !gone.below.Empty() {
		mine = len(entries)
		entries = append(entries, metav1.ManagedFieldsEntry{
			Manager: c.manager, Operation: metav1.ManagedFieldsOperationApply,
			APIVersion: version, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{},
		})
		entries[mine].FieldsV1.SetRawBytes([]byte("{}"))
	}
	if !gone.below.Empty() {
		set, err := fields(entries[mine])
		if err != nil {
			return nil, err
		}
		if all := set.Union(gone.below); !all.Equals(set) {
			changed = true
			if entries[mine].FieldsV1, err = encode(all); err != nil {
				return nil, err
			}
		}
	}
	if !changed {
		return nil, nil
	}
	// "replace" of the resource version, so that the API server answers with a conflict if it changed.
	patch, err := json.Marshal([]map[string]any{
		{"op": "add", "path": "/metadata/managedFields", "value": entries},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the managedFields of %s: %w", live.GetName(), err)
	}
	return patch, nil
}

// removal are fields that are to go.
type removal struct {
	// exact are fields; the items of lists among them go with all that is below them.
	exact *fieldpath.Set
	// below are items of lists that are all ours, with all that is below them.
	below *fieldpath.Set
}

func (r removal) has(p fieldpath.Path) bool {
	if r.exact.Has(p) || r.below.Has(p) {
		return true
	}
	for n := 1; n < len(p); n++ {
		if part := p[:n]; part[n-1].FieldName == nil && (r.exact.Has(part) || r.below.Has(part)) {
			return true
		}
	}
	return false
}

// surplus are the items that live has in lists that are all ours and desired has not, with all that is below them.
func surplus(kind schema.GroupKind, live, wanted *fieldpath.Set) *fieldpath.Set {
	more := &fieldpath.Set{}
	for _, list := range whole[kind] {
		for p := range live.All() {
			if len(p) > len(list) && p[:len(list)].Equals(list) && !wanted.Has(p[:len(list)+1]) {
				more.Insert(p.Copy())
			}
		}
	}
	return more
}

func fields(e metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil {
		return nil, fmt.Errorf("reading what %s owns: %w", e.Manager, err)
	}
	return set, nil
}

func encode(set *fieldpath.Set) (*metav1.FieldsV1, error) {
	raw, err := set.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("encoding owned fields: %w", err)
	}
	encoded := &metav1.FieldsV1{}
	encoded.SetRawBytes(raw)
	return encoded, nil
}
