package controllers

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// freshness remembers, for every object that this process wrote, the resource version that the
// write gave it. A cache that does not answer with that one may lag behind ourselves: acting on
// it would write the same again, or worse. So the API server is asked then, and what it answers is
// what the cache must come to. Entries go as soon as it has.
//
// Versions are compared for equality only. Their order is promised by newer API servers alone, and
// not across the restore of a backup, after which an operator that believed in it would take each
// cache for stale, or worse, a stale one for fresh.
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

// read records what the API server answered of an object that the cache was stale about.
func (f *freshness) read(kind string, obj client.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if key := (freshKey{kind, client.ObjectKeyFromObject(obj)}); f.written[key] != "" {
		f.written[key] = obj.GetResourceVersion()
	}
}

// stale reports whether obj, as the cache has it, may be older than our last write of it. Then the API
// server must be asked, and read be told.
func (f *freshness) stale(kind string, obj client.Object) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := freshKey{kind, client.ObjectKeyFromObject(obj)}
	written, known := f.written[key]
	if !known {
		return false
	}
	if obj.GetResourceVersion() != written {
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
