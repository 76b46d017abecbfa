package proxy

import (
	"net"
	"sync"
	"time"
)

const (
	// Timeout is how long a header may take. A proxy sends it at once.
	Timeout = 5 * time.Second
	// MaxPending bounds the connections whose headers are awaited at one time, by one Reader.
	MaxPending = 1024
)

// Reader reads headers of many connections at a time, so that none waits for another's. It is
// safe for concurrent use.
type Reader struct {
	timeout time.Duration
	max     int

	mu      sync.Mutex
	pending map[*net.TCPConn]struct{}
	closed  bool
	work    sync.WaitGroup
}

// NewReader returns a reader with these bounds; see Timeout and MaxPending.
func NewReader(timeout time.Duration, maxPending int) *Reader {
	return &Reader{timeout: timeout, max: maxPending, pending: map[*net.TCPConn]struct{}{}}
}

// Bound changes how many may be pending.
func (r *Reader) Bound(maxPending int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.max = maxPending
}

// Go reads the header of a connection and then calls then, in a goroutine of its own. It returns
// false, and does nothing, if too many are pending or the reader is closed.
func (r *Reader) Go(conn *net.TCPConn, then func(Header, error)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.pending) >= r.max {
		return false
	}
	r.pending[conn] = struct{}{}
	r.work.Go(func() {
		_ = conn.SetReadDeadline(time.Now().Add(r.timeout)) // what fails here fails below
		h, err := ReadHeader(conn)
		if err == nil {
			err = conn.SetReadDeadline(time.Time{})
		}
		r.mu.Lock()
		delete(r.pending, conn)
		r.mu.Unlock()
		then(h, err)
	})
	return true
}

// Pending returns how many headers are awaited.
func (r *Reader) Pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending)
}

// Close fails the reads that are pending, whose connections it closes, and waits for what Go has
// begun.
func (r *Reader) Close() {
	r.mu.Lock()
	r.closed = true
	for conn := range r.pending {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.work.Wait()
}
