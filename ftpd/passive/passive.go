// Package passive is the pool of passive ports. The ports are bound once, for the life of the process, and all
// sessions share them. A session reserves a pair of a port and a client (RFC 959, RFC 2428) only from its PASV reply
// until the data connection comes, so a handful of ports can carry thousands of transfers at once.
//
// No goroutine waits for connections as such. A connection stays in the kernel's queue until a session needs it, which
// then takes all connections from the queue of its port and passes on those of others (port.go): most clients connect
// before they send their command, so no goroutine has to be woken.
//
// Start reading at Pool.Reserve and Reservation.Accept; the rules of sharing are in ledger.go. The package imports
// config, proxy and socket of this module.
package passive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// The errors of the pool, for errors.Is. A closed pool and a released reservation return net.ErrClosed.
var (
	// ErrExhausted means that no port became free for the client in time.
	ErrExhausted = errors.New("no passive port is free")
	// ErrExpired means that the client did not connect in time.
	ErrExpired = errors.New("no data connection came in time")
)

// Pool holds the listeners and the reservations of their ports. It is safe for concurrent use.
type Pool struct {
	log       *slog.Logger
	ports     config.PortSet
	listening map[uint16]*port // by number
	watch     *socket.Watch    // names the ports that goroutines wait for
	all       *socket.Watch    // names every port with connections in its queue
	loops     sync.WaitGroup
	closed    chan struct{}
	policy    func() *proxy.Policy
	headers   *proxy.Reader

	mu         sync.Mutex
	ledger     *ledger
	alarms     alarms
	headerless map[uint16]int // number of connections, by port, whose PROXY header is awaited
	ended      bool
	stats      Stats // only the totals since the start
}

// Stats are the counts of a pool.
type Stats struct {
	// The current numbers: Ports of the pool; ports InUse by at least one reservation; Reservations that wait for
	// their connection; and calls of Reserve that are Waiting for a port.
	Ports, InUse, Reservations, Waiting int
	// The totals since the start: Reserved counts reservations; Accepted, those for which a connection came; Expired,
	// those for which none came in time; Strangers, connections that were dropped because no reservation was waiting
	// for them; Exhausted, calls of Reserve that found no free port in time; Headless, connections that were dropped
	// because of the PROXY protocol: they came from a trusted network without a valid header, or from another network
	// that is not allowed.
	Reserved, Accepted, Expired, Strangers, Exhausted, Headless uint64
}

// Request describes the reservation that a caller wants.
type Request struct {
	// Client is the address that will connect: the control connection's peer. An IPv4 address may be mapped into
	// IPv6.
	Client netip.Addr
	// AnyPeer lets any address connect, for networks whose source NAT hides the client's address. The port then
	// carries no other reservation.
	AnyPeer bool
	// Timeout, which must be positive, bounds the wait for a free port. After that the same time bounds the wait for
	// the connection.
	Timeout time.Duration
	// Waiting, unless nil, is called if Reserve has to wait for a port. It derives the context that bounds the wait;
	// Reserve calls the returned function when the wait is over.
	Waiting func(context.Context) (context.Context, context.CancelFunc)
}

// Listen binds every port on host, an IP address, or, if host is empty, on every address of both families. It binds
// all ports or none; the error names the port. The caller must call Close.
func Listen(host string, ports config.PortSet, log *slog.Logger) (*Pool, error) {
	return ListenBehind(host, ports, log, func() *proxy.Policy { return nil })
}

// ListenBehind is like Listen, for a pool behind load balancers that may report the clients' addresses by the PROXY
// protocol. It calls policy for each connection.
func ListenBehind(host string, ports config.PortSet, log *slog.Logger, policy func() *proxy.Policy) (*Pool, error) {
	if len(ports) == 0 {
		return nil, errors.New("no passive ports to listen on: give at least one")
	}
	p := newPool(ports, log)
	p.policy = policy
	if err := p.listen(host); err != nil {
		_ = p.closeSockets()
		return nil, err
	}
	p.start()
	return p, nil
}

// start starts the pool's goroutines.
func (p *Pool) start() {
	p.loops.Go(p.serveWanted)
	p.loops.Go(p.sweep)
}

func newPool(ports config.PortSet, log *slog.Logger) *Pool {
	p := &Pool{
		log: log, ports: slices.Clone(ports), listening: map[uint16]*port{}, closed: make(chan struct{}), ledger: newLedger(ports),
		headerless: map[uint16]int{},
		policy:     func() *proxy.Policy { return nil }, headers: proxy.NewReader(proxy.Timeout, proxy.MaxPending),
	}
	p.alarms.ring = p.expire
	return p
}

// expire looks at the reservations whose time has come.
func (p *Pool) expire() {
	p.mu.Lock()
	due := p.alarms.take(time.Now())
	p.mu.Unlock()
	for _, r := range due {
		r.expire()
	}
}

// listen binds the ports. If it fails the caller closes the sockets.
func (p *Pool) listen(host string) (err error) {
	if p.watch, err = socket.NewWatch(true); err == nil {
		p.all, err = socket.NewWatch(false)
	}
	if err != nil {
		return fmt.Errorf("watch passive ports: %w", err)
	}
	for _, number := range p.ports {
		l, err := socket.ListenQuiet(net.JoinHostPort(host, strconv.Itoa(int(number))))
		if err == nil {
			p.listening[number] = &port{pool: p, number: number, accept: l.Accept, listener: l}
			err = errors.Join(p.watch.Add(l, number, false), p.all.Add(l, number, true))
		}
		if err != nil {
			return fmt.Errorf("bind passive port %d: %w", number, err)
		}
	}
	return nil
}

// closeSockets closes the listeners and what watches them.
func (p *Pool) closeSockets() error {
	var errs []error
	for _, port := range p.listening {
		errs = append(errs, port.close())
	}
	for _, w := range []*socket.Watch{p.watch, p.all} {
		if w != nil {
			errs = append(errs, w.Close())
		}
	}
	return errors.Join(errs...)
}

// Close closes the listeners, makes waiting calls of Reserve and Accept fail with net.ErrClosed, and waits for the
// pool's goroutines. A connection that has come stays with its reservation. Close may be called again.
func (p *Pool) Close() error {
	for _, port := range p.listening {
		port.drain()
	}
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return nil
	}
	p.ended = true
	p.mu.Unlock()
	err := p.closeSockets()
	close(p.closed)
	p.loops.Wait()
	p.headers.Close()
	return err
}

// BoundHeaders bounds the number of connections whose PROXY header is awaited at one time.
func (p *Pool) BoundHeaders(most int) { p.headers.Bound(most) }

// Ports returns the ports of the pool.
func (p *Pool) Ports() config.PortSet { return slices.Clone(p.ports) }

// Stats returns the current counts.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Ports, s.InUse = len(p.ports), len(p.ports)-p.ledger.free
	s.Reservations, s.Waiting = p.ledger.holds(), p.ledger.waiting
	return s
}

// Reserve reserves a port for one connection of the client. If no port is free it waits for one; requests are served
// first come, first served. Errors: ErrExhausted after request.Timeout, the error of ctx, and net.ErrClosed.
func (p *Pool) Reserve(ctx context.Context, request Request) (*Reservation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &Reservation{pool: p, timeout: request.Timeout}
	r.hold = hold{client: request.Client.Unmap(), exclusive: request.AnyPeer, owner: r}

	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return nil, net.ErrClosed
	}
	granted := p.ledger.request(&r.hold)
	if granted {
		p.granted(r)
	}
	p.mu.Unlock()
	if !granted {
		if err := r.awaitPort(ctx, request.Waiting); err != nil {
			return nil, err
		}
	}
	r.open()
	return r, nil
}

// granted marks a reservation whose hold has got a port. No connection belongs to it until open is called. The caller
// holds the lock.
func (p *Pool) granted(r *Reservation) {
	r.state, r.port, r.after = reserved, r.hold.slot.port, math.MaxUint64
	p.stats.Reserved++
}

// drain takes all connections from the queue of a port and passes them on.
func (p *Pool) drain(number uint16) {
	if port := p.listening[number]; port != nil {
		port.drain()
	}
}

// end ends the reservation's hold and wakes the callers that get a port as a result. The caller holds the lock.
func (p *Pool) end(r *Reservation) {
	for _, h := range p.ledger.end(&r.hold) {
		p.granted(h.owner)
		h.owner.wakeUp()
	}
}
