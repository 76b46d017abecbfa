package memory

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// controllersLag bounds the time in which the cluster's controllers may still act on a selector that has been
// removed.
const controllersLag = 5 * time.Minute

// LiveReads remembers the servers whose EndpointSlices must be read from the API server, each until some time. If the
// labels and the selector of a Service were replaced in one write, the cluster creates slices that no cache holds.
// After a restart the slices of every server are read live once, since nothing is known of the time before.
type LiveReads struct {
	mu    sync.Mutex
	until map[types.UID]time.Time // by server's UID
}

// NewLiveReads returns a LiveReads that knows no server yet.
func NewLiveReads() *LiveReads { return &LiveReads{until: map[types.UID]time.Time{}} }

// Demand makes the slices of a server be read live for the next controllersLag.
func (r *LiveReads) Demand(server types.UID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until[server] = now.Add(controllersLag)
}

// Demanded reports whether the slices of a server must be read live. The first call for a server returns true.
func (r *LiveReads) Demanded(server types.UID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, known := r.until[server]
	if !known {
		r.until[server] = now
	}
	return !known || now.Before(until)
}

// Forget drops everything about a server that is gone.
func (r *LiveReads) Forget(server types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.until, server)
}
