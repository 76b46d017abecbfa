package passive

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// port is a passive port with its listener. A connection stays in the kernel's queue until one of these drains the port:
// a session whose command needs it, a session that reserves the port, or the sweep.
//
// The lock is held while the queue is drained and its connections are passed on. It comes before the pool's lock.
type port struct {
	pool   *Pool
	number uint16
	// accept takes a connection from the queue; see socket.Listener.Accept. A test may replace it.
	accept   func() (*socket.Conn, error)
	listener *socket.Listener

	mu sync.Mutex
	// taken is the number of connections that were taken from the queue. So each connection has a number, in the
	// order in which they were made.
	taken uint64
	// wanted is the number of goroutines that wait for a connection to the port. While there are any, the pool's Watch
	// has the port drained when a connection comes.
	wanted int
	pause  time.Duration // until the next try, after accept failed
	again  *time.Timer   // drains the port after a pause
}

// The bounds of the pause after an accept that failed. The pause doubles with each further failure.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// drain takes all connections from the queue and passes each on. After it, every connection that was made before the
// call has been dealt with, except for those whose PROXY header has not come.
func (p *port) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.drainUntil(never)
}

// drainFor is drain, but it stops when the connection of r has come, unless others may come for r.
func (p *port) drainFor(r *Reservation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.drainUntil(r.settled)
}

func never() bool { return false }

// mark drains the queue, and returns the number of the last connection that was made before.
func (p *port) mark() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.drainUntil(never); err != nil && p.listener != nil {
		return p.taken + uint64(p.listener.Queued()) //nolint:gosec // not negative
	}
	return p.taken
}

// drainUntil takes connections from the queue until it is empty or enough returns true. It returns an error if accept
// failed. The caller holds the lock.
func (p *port) drainUntil(enough func() bool) error {
	for !enough() {
		conn, err := p.accept()
		switch {
		case err == nil:
			p.recovered()
			p.taken++
			p.pool.identify(p.number, conn, p.taken)
		case errors.Is(err, socket.ErrWait):
			p.recovered()
			return nil
		case errors.Is(err, net.ErrClosed):
			return nil
		default:
			p.failed(err)
			return err
		}
	}
	return nil
}

// failed has the port drained again after a pause. The caller holds the lock.
func (p *port) failed(err error) {
	if p.again != nil {
		return // the pause is not over
	}
	if p.pause == 0 {
		p.pool.log.Warn("can't accept data connections; trying again", "port", p.number, "error", err)
	}
	p.pause = min(max(2*p.pause, minPause), maxPause)
	p.again = time.AfterFunc(p.pause, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.again == nil {
			return // the pool was closed
		}
		p.again = nil
		_ = p.drainUntil(never)
		p.arm()
	})
}

// recovered notes that accept works. The caller holds the lock.
func (p *port) recovered() {
	if p.pause > 0 {
		p.pause = 0
		p.pool.log.Info("accepting data connections again", "port", p.number)
	}
}

// want has the port drained as soon as connections come, until unwant is called.
func (p *port) want() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted++; p.wanted == 1 {
		p.arm()
	}
}

func (p *port) unwant() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted--
}

// ready is called when the Watch has named the port.
func (p *port) ready() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drainUntil(never) == nil {
		p.arm()
	}
}

// arm has the Watch name the port when a connection comes, if a goroutine waits for one. The caller holds the lock.
func (p *port) arm() {
	if p.wanted == 0 || p.listener == nil || p.again != nil {
		return
	}
	if err := p.pool.watch.Arm(p.listener, p.number); err != nil && !errors.Is(err, net.ErrClosed) {
		p.pool.log.Error("can't wait for data connections", "port", p.number, "error", err)
	}
}

// close passes on the connections that have come, and closes the listener.
func (p *port) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.drainUntil(never)
	if p.again != nil {
		p.again.Stop()
		p.again = nil
	}
	if p.listener == nil {
		return nil
	}
	return p.listener.Close()
}
