package passive

import (
	"context"
	"errors"
	"net"
	"time"
)

// Reservation is the right to one connection on a port. The caller must end it with Release, even after Accept. It is
// safe for concurrent use.
type Reservation struct {
	pool    *Pool
	timeout time.Duration

	// The pool's lock guards the fields below, except for port once Reserve has returned.
	hold  hold
	state state
	port  uint16 // set when a port is granted; it does not change afterwards
	// after is the number of the port's last connection when the port was granted. The connections up to it were made
	// before, so none of them is the client's.
	after  uint64
	conns  []*net.TCPConn // the connections that have come; more than one only for an exclusive hold, see candidates.go
	ends   time.Time      // when the time for the connection is over
	judged time.Time      // when Accept stops waiting to tell the client's connection from others
	came   bool           // a connection has come, even if it is gone since
	late   bool           // no connection came in time
	timer  *time.Timer    // ends the reservation when no connection comes
	wake   chan struct{}  // closed at the next change of state; nil if no goroutine waits for that
}

// state is the progress of a reservation. It starts as waiting and only moves forward.
type state int

const (
	waiting  state = iota // it waits for a port
	reserved              // it has a port and waits for the connection, or for the proof that it is the client's
	arrived               // its connection is here; the port is free for others
	expired               // no connection came in time
	ended                 // accepted or released
)

// Port returns the port that the client has to connect to.
func (r *Reservation) Port() uint16 { return r.port }

// Accept returns the client's connection as soon as it is there, which may be before the call. The caller has to
// close the connection. A connection that came in time waits for Accept without limit. Errors: ErrExpired if none
// came within the timeout, which starts when Reserve returns; the error of ctx, after which Accept may be called
// again; and net.ErrClosed after Release, after a successful Accept, or when the pool is closed.
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

// Expired reports whether no connection came within the timeout.
func (r *Reservation) Expired() bool {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	return r.late
}

// Release ends the reservation and closes any connection that Accept has not returned. It may be called at any time
// and any number of times.
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

// awaitPort waits until the ledger grants a port; if it fails, it withdraws the request. derive is Request.Waiting.
// The caller holds the pool's lock, which awaitPort releases while it waits.
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
		return nil // with exhausted: the port was granted at the last moment
	}
	if exhausted {
		p.stats.Exhausted++
	}
	r.finish(ended)
	return err
}

// startClock starts the time within which the connection must come. The caller holds the lock.
func (r *Reservation) startClock() {
	if r.state == reserved { // otherwise a connection has come already, before the client knew the port
		r.ends = time.Now().Add(r.timeout)
		r.timer = time.AfterFunc(r.timeout, r.expire)
		if len(r.conns) > 0 {
			r.timer.Reset(min(r.timeout, proof))
		}
	}
}

// expire is called when the timer fires.
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

// finish moves the reservation to a later state in which it holds no port. The caller holds the pool's lock.
func (r *Reservation) finish(s state) {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.pool.end(r)
	r.state = s
	r.wakeUp()
}

// sleep waits for the next change of state or the end of the pool (nil), the end of ctx (its error), or the deadline
// (ErrExhausted). The caller holds the pool's lock, which sleep releases while it waits.
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

// wakeUp wakes the goroutines that sleep. The caller holds the pool's lock.
func (r *Reservation) wakeUp() {
	if r.wake != nil {
		close(r.wake)
		r.wake = nil
	}
}
