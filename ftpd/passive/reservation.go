package passive

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
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
	// after is the number of the port's last connection that was made before the port was granted: none up to it is the
	// client's.
	after  uint64
	conns  []*socket.Conn // the connections that have come; more than one only for an exclusive hold, see candidates.go
	ends   time.Time      // when the time for the connection is over
	judged time.Time      // when Accept stops waiting to tell the client's connection from others
	last   time.Time      // when a connection came last
	came   bool           // a connection has come, even if it is gone since
	late   bool           // no connection came in time
	alarm  time.Time      // when expire is called, and place: see alarms.go
	place  int
	wake   chan struct{} // closed at the next change of state; nil if no goroutine waits for that
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
	conn, err := r.accept(ctx)
	if err != nil {
		return nil, err
	}
	return conn.TCP()
}

// Ready returns the client's connection if it is there and can be told from others, as Accept would, and nil otherwise.
// It does not wait.
func (r *Reservation) Ready() *socket.Conn {
	if port := r.pool.listening[r.port]; port != nil {
		port.drainFor(r)
	}
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	conn, _, _ := r.look()
	return conn
}

// accept is Accept without a place in Go's poller.
func (r *Reservation) accept(ctx context.Context) (*socket.Conn, error) {
	p := r.pool
	if conn := r.Ready(); conn != nil {
		return conn, nil
	}
	if port := p.listening[r.port]; port != nil {
		port.want()
		defer port.unwant()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if r.hold.exclusive {
			p.mu.Unlock()
			p.drain(r.port) // also waits for a drain that has passed on only a part of the queue; see choose
			p.mu.Lock()
		}
		conn, undecided, err := r.look()
		if conn == nil && err == nil {
			err = r.sleepToLookAgain(ctx, undecided)
		}
		if conn != nil || err != nil {
			return conn, err
		}
	}
}

// look returns the client's connection if it is there, or an error if it can't come any more. See choose for
// undecided. The caller holds the pool's lock.
func (r *Reservation) look() (conn *socket.Conn, undecided bool, err error) {
	conn, undecided = r.choose()
	switch {
	case conn != nil:
		return r.take(conn), false, nil
	case r.state == expired:
		return nil, false, ErrExpired
	case r.state == ended || r.pool.ended:
		return nil, false, net.ErrClosed
	}
	return nil, undecided, nil
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

// settled reports whether all connections that Accept may choose from have come.
func (r *Reservation) settled() bool {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	return r.state > reserved
}

// Release ends the reservation and closes any connection that Accept has not returned. It may be called at any time
// and any number of times.
func (r *Reservation) Release() {
	p := r.pool
	p.mu.Lock()
	pending := r.state == reserved && !p.ended
	p.mu.Unlock()
	if pending {
		p.drain(r.port) // the connection may have come
	}
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
func (r *Reservation) awaitPort(ctx context.Context, derive func(context.Context) (context.Context, context.CancelFunc)) error {
	p := r.pool
	p.drainReady() // each connection that has come frees a port
	if derive != nil {
		bounded, stop := derive(ctx)
		defer stop()
		ctx = bounded
	}
	for _, port := range p.listening {
		port.want()
	}
	defer func() {
		for _, port := range p.listening {
			port.unwant()
		}
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
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

// open lets the client's connection come: one that is made from now on, within the timeout.
func (r *Reservation) open() {
	p := r.pool
	after := uint64(0)
	if port := p.listening[r.port]; port != nil {
		after = port.mark()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r.after = after
	r.ends = time.Now().Add(r.timeout)
	p.alarms.put(r, r.ends)
}

// expire is called when the reservation's alarm goes off.
func (r *Reservation) expire() {
	p := r.pool
	p.drain(r.port) // the connection may have come in time
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case r.state != reserved:
	case len(r.conns) > 0 && now.Before(r.ends) && now.Sub(r.last) < proof:
		p.alarms.put(r, now.Add(min(proof-now.Sub(r.last), r.ends.Sub(now))))
	case len(r.conns) > 0:
		r.proven()
	case p.headerless[r.port] > 0 && now.Before(r.ends.Add(proxy.Timeout)):
		p.alarms.put(r, now.Add(proof)) // a connection has come in time, and may be the client's
	default:
		p.stats.Expired++
		r.late = true
		r.finish(expired)
	}
}

// finish moves the reservation to a later state in which it holds no port. The caller holds the pool's lock.
func (r *Reservation) finish(s state) {
	r.pool.alarms.drop(r)
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
