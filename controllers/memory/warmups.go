package memory

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// warmUpsKept is the time for which it is remembered when a pod's ports were published.
const warmUpsKept = time.Hour

// WarmUps remembers since when the passive ports of pods are published. After a restart the warm-up of a pod that has
// not taken sessions yet starts again.
type WarmUps struct {
	mu    sync.Mutex
	since map[types.UID]time.Time
}

// NewWarmUps returns a WarmUps that knows nothing yet.
func NewWarmUps() *WarmUps { return &WarmUps{since: map[types.UID]time.Time{}} }

// Left returns how much of the warm-up is left for the pod; all of it before Begin was called.
func (w *WarmUps) Left(pod types.UID, warmUp time.Duration, now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	since, begun := w.since[pod]
	if !begun {
		return warmUp
	}
	return max(warmUp-now.Sub(since), 0)
}

// Begin starts the time of a pod, unless it has been started.
func (w *WarmUps) Begin(pod types.UID, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other, since := range w.since {
		if now.Sub(since) > warmUpsKept {
			delete(w.since, other)
		}
	}
	if _, begun := w.since[pod]; !begun {
		w.since[pod] = now
	}
}

// Forget removes the pod, so that its time starts again with the next Begin.
func (w *WarmUps) Forget(pod types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.since, pod)
}
