package passive

import (
	"context"
	"errors"
	"net"
	"time"
)

// Reservation is the claim to one connection. It must be ended by Release, also after Accept.
// It is safe for concurrent use.
type Reservation struct {
	pool    *Pool
	timeout time.Duration

	// All that follows is guarded by the pool's lock, but for port once Reserve has returned.
	hold  hold
	state state
	port  uint16 // once reserved; it never changes then
	// after is the number of the port's last connection when it got the port. Those up to it were there before, and
	// none is the client's.
	after  uint64
	conns  []*net.TCPConn // that have come; more than one only of an exclusive hold, see candidates.go
	ends   time.Time      // when a connection must have come
	judged time.Time      // until when Accept waits to tell the client's from others
	came   bool           // a connection has come, whatever became of it
	late   bool           // none came in time
	timer  *time.Timer    // ends it when nobody connects
	wake   chan struct{}  // if somebody waits: closed at the next change of state
}

// state is how far a reservation is. It begins as waiting and only goes forward.
type state int

const (
	waiting  state = iota // for a port
	reserved              // it has a port and waits for the connection, or for its proof
	arrived               // the connection is here; the port is free for others
	expired               // none came in time
	ended                 // accepted or released
)

// Port is the port to tell the client.
func (r *Reservation) Port() uint16 { return r.port }

// Accept returns the client's connection, which may have come before the call, as soon as it is
// there. It is then the caller's, to be closed by it. One that came in time waits for Accept
// without limit. Errors: ErrExpired when none came within the timeout counted from Reserve's
// return, the context's (Accept may then be called again), net.ErrClosed after Release, after a
// success, or at the pool's end.
func (r *Reservation) Accept(ctx context.Context) (*net.TCPConn, error) {
	p := r.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		conn, undecided := r.choose()
		switch {
		case conn != nil:
			return r.take(conn), nil
		case r.state == expired:
			return nil, ErrExpired
		case r.state == ended || p.ended:
			return nil, net.ErrClosed
		}
		if err := r.sleepToLookAgain(ctx, undecided); err != nil {
			return nil, err
		}
	}
}

// Came reports whether a connection has come for the reservation.
func (r *Reservation) Came() bool {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	return r.came
}

// Expired reports whether none came within the timeout.
func (r *Reservation) Expired() bool {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	return r.late
}

// Release ends the reservation and closes a connection that Accept has not returned. It may be
// called at any time and any number of times.
func (r *Reservation) Release() {
	p := r.pool
	p.mu.Lock()
	conns := r.conns
	r.conns = nil
	r.finish(ended)
	p.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
	}
}

// awaitPort waits until the ledger grants a port, or takes the request back.
// The caller holds the pool's lock, which is given up meanwhile.
func (r *Reservation) awaitPort(ctx context.Context, derive func(context.Context) (context.Context, context.CancelFunc)) error {
	p := r.pool
	if derive != nil {
		p.mu.Unlock()
		bounded, stop := derive(ctx)
		defer func() {
			p.mu.Unlock()
			stop()
			p.mu.Lock()
		}()
		ctx = bounded
		p.mu.Lock()
	}
	deadline := time.NewTimer(r.timeout)
	defer deadline.Stop()
	var err error
	for r.state == waiting && err == nil {
		if err = r.sleep(ctx, deadline.C); p.ended && err == nil {
			err = net.ErrClosed
		}
	}
	exhausted := errors.Is(err, ErrExhausted)
	if r.state != waiting && (err == nil || exhausted) {
		return nil // with exhausted: it came at the last moment
	}
	if exhausted {
		p.stats.Exhausted++
	}
	r.finish(ended)
	return err
}

// startClock begins the time in which the connection must come. The caller holds the lock.
func (r *Reservation) startClock() {
	if r.state == reserved { // else one came before the client could be told, and was taken for its own
		r.ends = time.Now().Add(r.timeout)
		r.timer = time.AfterFunc(r.timeout, r.expire)
		if len(r.conns) > 0 {
			r.timer.Reset(min(r.timeout, proof))
		}
	}
}

func (r *Reservation) expire() {
	p := r.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.state != reserved:
	case len(r.conns) > 0:
		r.proven()
	default:
		p.stats.Expired++
		r.late = true
		r.finish(expired)
	}
}

// finish brings the reservation to a later state in which it holds no port. The caller holds
// the pool's lock.
func (r *Reservation) finish(s state) {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.pool.end(r)
	r.state = s
	r.wakeUp()
}

// sleep waits for the next change of state (nil), the context's end, the pool's (nil too), or the
// deadline (ErrExhausted). The caller holds the pool's lock, which is given up meanwhile.
func (r *Reservation) sleep(ctx context.Context, deadline <-chan time.Time) error {
	if r.wake == nil {
		r.wake = make(chan struct{})
	}
	wake := r.wake
	r.pool.mu.Unlock()
	defer r.pool.mu.Lock()
	select {
	case <-wake:
		return nil
	case <-r.pool.closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-deadline:
		return ErrExhausted
	}
}

// wakeUp wakes those who sleep. The caller holds the pool's lock.
func (r *Reservation) wakeUp() {
	if r.wake != nil {
		close(r.wake)
		r.wake = nil
	}
}
