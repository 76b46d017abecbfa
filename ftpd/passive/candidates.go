package passive

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Where source NAT hides the clients' addresses, the first connection to a reserved port need not be its client's: a
// load balancer that checks the health of each port connects from the same addresses as clients, and closes at once.
// So an exclusive reservation keeps its port until its connection is accepted or has stayed open for a moment. If
// several connections have come, the one that is still open is taken.

const (
	// proof is how long a connection must have stayed open to count as the client's. A health check closes its
	// connection within a round trip.
	proof = 250 * time.Millisecond
	// patience bounds how long Accept waits for another connection when the client has closed its own, as after an
	// upload of an empty file, or for the other connections to be closed.
	patience = time.Second
	// lookAgain is the time between two checks whether the other connections are closed.
	lookAgain = 5 * time.Millisecond
	// MaxCandidates bounds the number of connections that a reservation holds, of which one is its client's.
	MaxCandidates = 4
)

// arrive adds a connection to the reservation. It returns false if the reservation has enough of them. The caller
// holds the pool's lock.
func (r *Reservation) arrive(conn *net.TCPConn) bool {
	if len(r.conns) == MaxCandidates {
		return false
	}
	if !r.came {
		r.pool.stats.Accepted++
	}
	r.conns, r.came = append(r.conns, conn), true
	if !r.hold.exclusive {
		r.finish(arrived)
		return true
	}
	if r.timer != nil {
		r.timer.Reset(max(min(time.Until(r.ends), proof), 0))
	}
	r.wakeUp()
	return true
}

// proven frees the port if one of the connections has stayed open, or if the time for connections is over. Otherwise
// it sets the timer for that time. The caller holds the pool's lock.
func (r *Reservation) proven() {
	if left := time.Until(r.ends); left > 0 && !slices.ContainsFunc(r.conns, isOpen) {
		r.timer.Reset(left)
		return
	}
	r.finish(arrived)
}

// choose returns the client's connection, if it can be told from others by now. undecided means that connections have
// come, and that a later call can decide. The caller holds the pool's lock.
func (r *Reservation) choose() (conn *net.TCPConn, undecided bool) {
	if len(r.conns) == 0 || r.state != reserved && r.state != arrived {
		return nil, false
	}
	if !r.hold.exclusive {
		return r.conns[0], false
	}
	open := slices.DeleteFunc(slices.Clone(r.conns), func(c *net.TCPConn) bool { return !isOpen(c) })
	if len(open) == 1 && !r.pool.mayHaveMore(r.port) {
		return open[0], false
	}
	if r.judged.IsZero() {
		r.judged = time.Now().Add(patience)
	}
	late := !time.Now().Before(r.judged)
	switch {
	case len(open) > 0 && late:
		return open[0], false
	case len(open) == 0 && (late || r.state == arrived):
		return r.conns[0], false
	}
	return nil, true
}

// mayHaveMore reports whether the port has connections that arrive has not seen yet. A client connects before it
// sends its command, so its connection may be one of these.
func (p *Pool) mayHaveMore(port uint16) bool {
	l := p.listeners[port]
	return l != nil && l.more()
}

// take ends the reservation, closes its other connections and returns conn. The caller holds the pool's lock.
func (r *Reservation) take(conn *net.TCPConn) *net.TCPConn {
	for _, other := range r.conns {
		if other != conn {
			r.pool.stats.Strangers++
			_ = other.Close()
		}
	}
	r.conns = nil
	r.finish(ended)
	return conn
}

// sleepToLookAgain is like sleep without a deadline, but if undecided is true it returns after lookAgain at the
// latest.
func (r *Reservation) sleepToLookAgain(ctx context.Context, undecided bool) error {
	if !undecided {
		return r.sleep(ctx, nil)
	}
	look := time.NewTimer(lookAgain)
	defer look.Stop()
	if err := r.sleep(ctx, look.C); !errors.Is(err, ErrExhausted) {
		return err
	}
	return nil
}

// isOpen reports whether the peer has not closed the connection, or has sent data that was not read.
func isOpen(conn *net.TCPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = raw.Control(func(fd uintptr) {
		n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT) //nolint:gosec // a descriptor
		open = n > 0 || errors.Is(err, unix.EAGAIN)
	})
	return open && err == nil
}
