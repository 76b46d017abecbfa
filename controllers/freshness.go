package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// freshness remembers, for every object that this process wrote, the resource version that the write returned. A
// cache that has another version may lag behind our own write; acting on it would repeat the write, or worse. In that
// case the API server is asked, and the version that it returns is the one that the cache must reach. An entry is
// removed as soon as the cache has that version.
//
// Versions are compared for equality only. Only newer API servers promise an order, and not across the restore of a
// backup: after that, an operator that relied on the order would take every cache for stale, or worse, a stale one
// for fresh.
//
// An object that is deleted before the cache has seen our last write of it is never compared again, so entries that
// were not used for forgetAfter are forgotten.
type freshness struct {
	clock   clock.PassiveClock
	mu      sync.Mutex
	written map[freshKey]freshVersion
	swept   time.Time
}

type freshVersion struct {
	version string
	used    time.Time
}

type freshKey struct {
	kind string
	types.NamespacedName
}

func newFreshness(c clock.PassiveClock) *freshness {
	return &freshness{clock: c, written: map[freshKey]freshVersion{}, swept: c.Now()}
}

// wrote records the resource version that one of our writes returned.
func (f *freshness) wrote(kind string, obj client.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	if now.Sub(f.swept) > forgetAfter {
		for key, v := range f.written {
			if now.Sub(v.used) > forgetAfter {
				delete(f.written, key)
			}
		}
		f.swept = now
	}
	f.written[freshKey{kind, client.ObjectKeyFromObject(obj)}] = freshVersion{obj.GetResourceVersion(), now}
}

// read records the version that the API server returned for an object that the cache was stale about.
func (f *freshness) read(kind string, obj client.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if key := (freshKey{kind, client.ObjectKeyFromObject(obj)}); f.written[key].version != "" {
		f.written[key] = freshVersion{obj.GetResourceVersion(), f.clock.Now()}
	}
}

// stale reports whether obj, as the cache has it, may be older than our last write of it. If so, the caller must ask
// the API server and pass the result to read.
func (f *freshness) stale(kind string, obj client.Object) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := freshKey{kind, client.ObjectKeyFromObject(obj)}
	written, known := f.written[key]
	if !known {
		return false
	}
	if obj.GetResourceVersion() != written.version {
		f.written[key] = freshVersion{written.version, f.clock.Now()}
		return true
	}
	delete(f.written, key)
	return false
}

// forget drops the entry of an object that is gone.
func (f *freshness) forget(kind string, key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.written, freshKey{kind, key})
}
