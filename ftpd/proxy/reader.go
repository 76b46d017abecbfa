package proxy

import (
	"net"
	"sync"
	"time"
)

const (
	// Timeout is how long a header may take to arrive. A proxy sends it at once.
	Timeout = 5 * time.Second
	// MaxPending bounds the number of connections whose headers one Reader awaits at a time.
	MaxPending = 1024
)

// Reader reads the headers of many connections at the same time, so no connection waits for another's header. It is
// safe for concurrent use.
type Reader struct {
	timeout time.Duration
	max     int

	mu      sync.Mutex
	pending map[*net.TCPConn]struct{}
	closed  bool
	work    sync.WaitGroup
}

// NewReader returns a Reader with these bounds; see Timeout and MaxPending.
func NewReader(timeout time.Duration, maxPending int) *Reader {
	return &Reader{timeout: timeout, max: maxPending, pending: map[*net.TCPConn]struct{}{}}
}

// Bound changes the number of headers that may be pending.
func (r *Reader) Bound(maxPending int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.max = maxPending
}

// Go reads the header of conn in a new goroutine and then calls then in it. It returns false, and does nothing, if
// too many headers are pending or the Reader is closed.
func (r *Reader) Go(conn *net.TCPConn, then func(Header, error)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.pending) >= r.max {
		return false
	}
	r.pending[conn] = struct{}{}
	r.work.Go(func() {
		_ = conn.SetReadDeadline(time.Now().Add(r.timeout)) // if this fails, ReadHeader fails, too
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

// Pending returns the number of headers that are awaited.
func (r *Reader) Pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending)
}

// Close closes the connections whose headers are pending, so their reads fail, and waits for the goroutines of Go.
func (r *Reader) Close() {
	r.mu.Lock()
	r.closed = true
	for conn := range r.pending {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.work.Wait()
}
