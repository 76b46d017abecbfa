package controllers

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// freshness remembers, for every object that this process wrote, the resource version that the
// write gave it. A cache that still answers with an older one lags behind ourselves: acting on
// it would write the same again, or worse. Entries go as soon as the cache has caught up.
type freshness struct {
	mu      sync.Mutex
	written map[freshKey]string
}

type freshKey struct {
	kind string
	types.NamespacedName
}

func newFreshness() *freshness { return &freshness{written: map[freshKey]string{}} }

// wrote records what a write of ours answered.
func (f *freshness) wrote(kind string, obj client.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written[freshKey{kind, client.ObjectKeyFromObject(obj)}] = obj.GetResourceVersion()
}

// stale reports whether obj, as the cache has it, is older than our last write of it. Resource
// versions of one kind are ordered (KEP-5504); ones that can't be compared count as stale, which
// costs a read.
func (f *freshness) stale(kind string, obj client.Object) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := freshKey{kind, client.ObjectKeyFromObject(obj)}
	written, known := f.written[key]
	if !known {
		return false
	}
	if order, err := resourceversion.CompareResourceVersion(obj.GetResourceVersion(), written); err != nil || order < 0 {
		return true
	}
	delete(f.written, key)
	return false
}

// forget drops an object that is gone.
func (f *freshness) forget(kind string, key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.written, freshKey{kind, key})
}
