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

// A server-side apply that leaves a field out removes the field only if no other manager owns it. Other managers come
// to own our fields without intent: by the restore of a backup, an old kubectl apply, or an edit that writes the
// whole object back. So before a field is left out, its ownership is taken away from them.

// whole are the lists whose items are all ours, whichever manager wrote them: the spec determines them completely,
// and a surplus item would misroute connections.
var whole = map[schema.GroupKind][]fieldpath.Path{
	{Kind: "Service"}: {fieldpath.MakePathOrDie("spec", "ports")},
}

// TakeOver returns a JSON patch of live's managedFields. Once it is in place, applying desired removes the fields
// that our manager owns and no longer wants, and every surplus item of the lists that are all ours. TakeOver returns
// nil if applying desired does that already. The patch carries live's resource version. Fields that others own
// through subresources, such as a status or an autoscaler's replicas, stay theirs.
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

// takeOver takes the fields to be removed from all managers except ours. It gives ours the items of lists that are
// all ours, if it does not own them.
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
	// The patch replaces the resource version, so that the API server answers with a conflict if it has changed.
	patch, err := json.Marshal([]map[string]any{
		{"op": "add", "path": "/metadata/managedFields", "value": entries},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the managedFields of %s: %w", live.GetName(), err)
	}
	return patch, nil
}

// removal are the fields to be removed.
type removal struct {
	// exact are single fields; an item of a list among them includes everything below it.
	exact *fieldpath.Set
	// below are items of lists that are all ours, including everything below them.
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

// surplus returns the items that live has, and desired has not, in lists that are all ours, including everything
// below them.
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
