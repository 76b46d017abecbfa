package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
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
//
// An object that is deleted before the cache has seen our last write of it is never compared again, so
// what was not asked about for forgetAfter is forgotten.
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

// wrote records what a write of ours answered.
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

// read records what the API server answered of an object that the cache was stale about.
func (f *freshness) read(kind string, obj client.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if key := (freshKey{kind, client.ObjectKeyFromObject(obj)}); f.written[key].version != "" {
		f.written[key] = freshVersion{obj.GetResourceVersion(), f.clock.Now()}
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
	if obj.GetResourceVersion() != written.version {
		f.written[key] = freshVersion{written.version, f.clock.Now()}
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
