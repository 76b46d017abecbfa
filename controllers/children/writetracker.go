package children

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// WriteTracker remembers, for every object that this process wrote, the resource version that the write returned. A
// cache that has another version may lag behind our own write; acting on it would repeat the write, or worse. In that
// case the API server is asked, and the version that it returns is the one that the cache must reach. An entry is
// removed as soon as the cache has that version.
//
// Versions are compared for equality only. Only newer API servers promise an order, and not across the restore of a
// backup: after that, an operator that relied on the order would take every cache for stale, or worse, a stale one
// for fresh.
//
// An object that is deleted before the cache has seen our last write of it is never compared again, so entries that
// were not used for keepUnused are forgotten. After a restart nothing is tracked; that is safe, since a new process has
// written nothing that its cache could lack.
type WriteTracker struct {
	clock   clock.PassiveClock
	mu      sync.Mutex
	written map[trackedKey]trackedVersion
	swept   time.Time
}

type trackedVersion struct {
	version string
	used    time.Time
}

type trackedKey struct {
	kind string
	types.NamespacedName
}

// NewWriteTracker returns a WriteTracker that knows of no write.
func NewWriteTracker(c clock.PassiveClock) *WriteTracker {
	return &WriteTracker{clock: c, written: map[trackedKey]trackedVersion{}, swept: c.Now()}
}

// Wrote records the resource version that one of our writes returned.
func (t *WriteTracker) Wrote(kind string, obj client.Object) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if now.Sub(t.swept) > keepUnused {
		for key, v := range t.written {
			if now.Sub(v.used) > keepUnused {
				delete(t.written, key)
			}
		}
		t.swept = now
	}
	t.written[trackedKey{kind, client.ObjectKeyFromObject(obj)}] = trackedVersion{obj.GetResourceVersion(), now}
}

// Read records the version that the API server returned for an object that the cache was stale about.
func (t *WriteTracker) Read(kind string, obj client.Object) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if key := (trackedKey{kind, client.ObjectKeyFromObject(obj)}); t.written[key].version != "" {
		t.written[key] = trackedVersion{obj.GetResourceVersion(), t.clock.Now()}
	}
}

// Stale reports whether obj, as the cache has it, may be older than our last write of it. If so, the caller must ask
// the API server and pass the result to Read.
func (t *WriteTracker) Stale(kind string, obj client.Object) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := trackedKey{kind, client.ObjectKeyFromObject(obj)}
	written, known := t.written[key]
	if !known {
		return false
	}
	if obj.GetResourceVersion() != written.version {
		t.written[key] = trackedVersion{written.version, t.clock.Now()}
		return true
	}
	delete(t.written, key)
	return false
}

// Forget drops the entry of an object that is gone.
func (t *WriteTracker) Forget(kind string, key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.written, trackedKey{kind, key})
}
