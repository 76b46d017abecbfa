package passive

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// sweepEvery is the time between two sweeps.
const sweepEvery = time.Second

// serveWanted drains the ports for whose connections goroutines wait, as soon as these come.
func (p *Pool) serveWanted() {
	for {
		numbers, err := p.watch.Wait()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			p.log.Error("can't wait for data connections", "error", err)
			return
		}
		for _, number := range numbers {
			p.listening[number].ready()
		}
	}
}

// sweep drains, from time to time, every port to which a connection has come: probes of load balancers, clients that
// come late, and those that never send their command.
func (p *Pool) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.drainReady()
		case <-p.closed:
			return
		}
	}
}

// drainReady drains every port to which a connection has come.
func (p *Pool) drainReady() {
	if p.all == nil {
		return // a test's pool without listeners
	}
	for range len(p.ports)/socket.WatchBatch + 1 {
		numbers, _ := p.all.Ready() // an error means that the pool was closed
		for _, number := range numbers {
			p.listening[number].drain()
		}
		if len(numbers) < socket.WatchBatch {
			return
		}
	}
}

// identify finds out which client a connection is from, and passes it on. It does not wait for a PROXY header.
func (p *Pool) identify(port uint16, conn *socket.Conn, number uint64) {
	policy := p.policy()
	peer := conn.Peer().Addr()
	expects, err := policy.Expects(peer)
	switch {
	case err != nil:
		p.reject(port, conn, peer, err)
	case expects:
		p.readHeader(port, conn, number, policy)
	default:
		p.arrive(port, conn, number, peer)
	}
}

// readHeader has the PROXY header of a connection read, and passes the connection on when the header has come.
func (p *Pool) readHeader(port uint16, conn *socket.Conn, number uint64, policy *proxy.Policy) {
	tcp, err := conn.TCP()
	if err != nil {
		p.log.Warn("can't read the PROXY header of a data connection", "port", port, "error", err)
		return
	}
	p.awaited(port, 1)
	p.headers.IdentifyFrom(proxy.Origin{Peer: conn.Peer()}, tcp, policy, func(o proxy.Origin, err error) {
		defer p.awaited(port, -1)
		conn := socket.FromTCP(tcp)
		switch {
		case err != nil:
			p.reject(port, conn, o.Peer.Addr(), err)
		case o.Own: // the proxy checks whether the port is open
			_ = conn.Close()
		default:
			p.arrive(port, conn, number, o.Peer.Addr())
		}
	})
}

// awaited counts the connections to a port whose header is awaited.
func (p *Pool) awaited(port uint16, more int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.headerless[port] += more; p.headerless[port] == 0 {
		delete(p.headerless, port)
	}
}

// reject drops a connection whose client is unknown, because its PROXY header is missing or wrong.
func (p *Pool) reject(port uint16, conn *socket.Conn, peer netip.Addr, err error) {
	p.mu.Lock()
	p.stats.Headless++
	p.mu.Unlock()
	p.log.Debug("dropped a data connection", "port", port, "peer", peer, "error", err)
	_ = conn.Close()
}

// arrive passes a connection to the reservation that it belongs to, or closes it. It closes it in the ordinary way,
// not with a reset, so that a load balancer's probe of the port succeeds.
//
// A connection that was made before the reservation does not belong to it. It was left in the listener's queue by a
// client, mostly the same one in an earlier session.
func (p *Pool) arrive(port uint16, conn *socket.Conn, number uint64, peer netip.Addr) {
	p.mu.Lock()
	h := p.ledger.find(port, peer)
	if h == nil || p.ended || number <= h.owner.after {
		p.stats.Strangers++
		p.mu.Unlock()
		p.log.Debug("dropped a connection that no session waits for", "port", port, "peer", peer)
		_ = conn.Close()
		return
	}
	if !h.owner.arrive(conn) {
		p.stats.Strangers++
		p.mu.Unlock()
		p.log.Debug("dropped one connection too many for a session", "port", port, "peer", peer)
		_ = conn.Close()
		return
	}
	p.mu.Unlock()
}
