// Package passive is the pool of passive ports: bound once, for the life of the process, and
// shared by all sessions through reservations of a (port, client) pair that last only from the
// PASV reply (RFC 959, RFC 2428) to the data connection. So a handful of ports carries thousands
// of transfers at once.
package passive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
)

// Errors of the pool, for errors.Is. A closed pool and a released reservation give net.ErrClosed.
var (
	// ErrExhausted: no port was free for the client in time.
	ErrExhausted = errors.New("no passive port is free")
	// ErrExpired: the client did not connect in time.
	ErrExpired = errors.New("no data connection came in time")
)

// Pool holds the listeners. It is safe for concurrent use.
type Pool struct {
	log       *slog.Logger
	ports     config.PortSet
	listeners map[uint16]*listener // by port
	loops     sync.WaitGroup
	closed    chan struct{}
	policy    func() *proxy.Policy
	headers   *proxy.Reader

	mu     sync.Mutex
	ledger *ledger
	ended  bool
	stats  Stats // the totals only
}

// Stats are counts of a pool.
type Stats struct {
	// Ports held, and those of them InUse by at least one reservation; Reservations that wait for
	// their connection, and Waiting calls of Reserve: now.
	Ports, InUse, Reservations, Waiting int
	// Reserved, Accepted, Expired, Strangers and Exhausted count since the start: reservations
	// made, data connections matched to one, reservations that no connection came for in time,
	// connections dropped because none was waiting for them when they came, and calls of Reserve that found no
	// free port in time. Headless are connections dropped because of the PROXY protocol: one from
	// a trusted network without a good header, or one from elsewhere that is not allowed.
	Reserved, Accepted, Expired, Strangers, Exhausted, Headless uint64
}

// Request asks for a reservation.
type Request struct {
	// Client is the address that will connect: the control connection's peer. An IPv4 address
	// may be given mapped into IPv6.
	Client netip.Addr
	// AnyPeer lets any address connect, for where source NAT hides the client's. The port then
	// carries no other reservation.
	AnyPeer bool
	// Timeout, above zero, bounds the wait for a free port, and after that, anew, the wait for
	// the connection.
	Timeout time.Duration
	// Waiting, unless nil, is called when the call has to wait for a port, and derives the context
	// that bounds the wait; its function is called when the wait is over.
	Waiting func(context.Context) (context.Context, context.CancelFunc)
}

// Listen binds every port on host, an IP address, or empty for every address of both families.
// It binds all or nothing; the error names the port. Close ends it.
func Listen(host string, ports config.PortSet, log *slog.Logger) (*Pool, error) {
	return ListenBehind(host, ports, log, func() *proxy.Policy { return nil })
}

// ListenBehind is Listen where load balancers may tell the clients' addresses by the PROXY
// protocol. policy is asked at each connection.
func ListenBehind(host string, ports config.PortSet, log *slog.Logger, policy func() *proxy.Policy) (*Pool, error) {
	if len(ports) == 0 {
		return nil, errors.New("no passive ports to listen on: give at least one")
	}
	p := newPool(ports, log)
	p.policy = policy
	// A data connection lives for one transfer, which has its own deadlines: keep-alive would
	// only cost system calls. Multipath TCP would hide it from splice.
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	for _, port := range p.ports {
		tcp, err := lc.Listen(context.Background(), "tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
		var l *listener
		if err == nil {
			l, err = newListener(tcp.(*net.TCPListener))
		}
		if err != nil {
			for _, bound := range p.listeners {
				_ = bound.Close()
			}
			return nil, fmt.Errorf("bind passive port %d: %w", port, err)
		}
		p.listeners[port] = l
	}
	for port, l := range p.listeners {
		p.loops.Go(func() { p.acceptLoop(l, port) })
	}
	return p, nil
}

func newPool(ports config.PortSet, log *slog.Logger) *Pool {
	return &Pool{
		log: log, ports: slices.Clone(ports), listeners: map[uint16]*listener{}, closed: make(chan struct{}), ledger: newLedger(ports),
		policy: func() *proxy.Policy { return nil }, headers: proxy.NewReader(proxy.Timeout, proxy.MaxPending),
	}
}

// Close closes the listeners, fails those that wait in Reserve and Accept with net.ErrClosed,
// and waits for the pool's goroutines. A connection that has come stays with its reservation.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return nil
	}
	p.ended = true
	close(p.closed)
	p.mu.Unlock()
	var errs []error
	for _, l := range p.listeners {
		errs = append(errs, l.Close())
	}
	p.loops.Wait()
	p.headers.Close()
	return errors.Join(errs...)
}

// BoundHeaders bounds the connections whose PROXY header is awaited at one time.
func (p *Pool) BoundHeaders(most int) { p.headers.Bound(most) }

// Ports returns the ports held.
func (p *Pool) Ports() config.PortSet { return slices.Clone(p.ports) }

// Stats returns the counts.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Ports, s.InUse = len(p.ports), len(p.ports)-p.ledger.free
	s.Reservations, s.Waiting = p.ledger.holds(), p.ledger.waiting
	return s
}

// Reserve reserves a port for one connection of the client, waiting for a free one if need be,
// first come first served. Errors: ErrExhausted after r.Timeout, the context's, net.ErrClosed.
func (p *Pool) Reserve(ctx context.Context, request Request) (*Reservation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &Reservation{pool: p, timeout: request.Timeout}
	r.hold = hold{client: request.Client.Unmap(), exclusive: request.AnyPeer, owner: r}

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, net.ErrClosed
	}
	if p.ledger.request(&r.hold) {
		p.granted(r)
		r.startClock()
		return r, nil
	}
	if err := r.awaitPort(ctx, request.Waiting); err != nil {
		return nil, err
	}
	r.startClock()
	return r, nil
}

// granted marks a reservation whose hold has a port. The caller holds the lock.
func (p *Pool) granted(r *Reservation) {
	r.state, r.port = reserved, r.hold.slot.port
	if l := p.listeners[r.port]; l != nil {
		r.after = l.last()
	}
	p.stats.Reserved++
}

// end ends the reservation's hold and wakes those who get a port by it. The caller holds the lock.
func (p *Pool) end(r *Reservation) {
	for _, h := range p.ledger.end(&r.hold) {
		p.granted(h.owner)
		h.owner.wakeUp()
	}
}
