package passive

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
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
func (r *Reservation) arrive(conn *socket.Conn) bool {
	if len(r.conns) == MaxCandidates {
		return false
	}
	if !r.came {
		r.pool.stats.Accepted++
	}
	r.conns, r.came, r.last = append(r.conns, conn), true, time.Now()
	if !r.hold.exclusive {
		r.finish(arrived)
		return true
	}
	r.pool.alarms.put(r, r.last.Add(min(r.ends.Sub(r.last), proof)))
	r.wakeUp()
	return true
}

// proven frees the port if one of the connections has stayed open, or if the time for connections is over. Otherwise
// it has the reservation looked at then. The caller holds the pool's lock.
func (r *Reservation) proven() {
	if time.Now().Before(r.ends) && !slices.ContainsFunc(r.conns, (*socket.Conn).Open) {
		r.pool.alarms.put(r, r.ends)
		return
	}
	r.finish(arrived)
}

// choose returns the client's connection, if it can be told from others by now. undecided means that connections have
// come, and that a later call can decide. The caller holds the pool's lock, and has drained the port since the command
// that needs the connection: a client connects before it sends its command.
func (r *Reservation) choose() (conn *socket.Conn, undecided bool) {
	if len(r.conns) == 0 || r.state != reserved && r.state != arrived {
		return nil, false
	}
	if !r.hold.exclusive {
		return r.conns[0], false
	}
	open := slices.DeleteFunc(slices.Clone(r.conns), func(c *socket.Conn) bool { return !c.Open() })
	if len(open) == 1 {
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

// take ends the reservation, closes its other connections and returns conn. The caller holds the pool's lock.
func (r *Reservation) take(conn *socket.Conn) *socket.Conn {
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
