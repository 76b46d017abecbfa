package passive

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// acceptor is the part of a *listener that acceptLoop needs.
type acceptor interface {
	accept() (conn *net.TCPConn, number uint64, err error)
}

// acceptLoop accepts every connection to one port until the pool is closed.
func (p *Pool) acceptLoop(l acceptor, port uint16) {
	loop := socket.AcceptLoop{
		Accept: func() error {
			conn, number, err := l.accept()
			if err == nil {
				p.identify(port, conn, number)
			}
			return err
		},
		Ended: func(err error) bool { return errors.Is(err, net.ErrClosed) },
		Failed: func(err error, first bool, _ time.Duration) {
			if first {
				p.log.Warn("can't accept data connections; trying again", "port", port, "error", err)
			}
		},
		Recovered: func() { p.log.Info("accepting data connections again", "port", port) },
		Done:      p.closed,
	}
	_ = loop.Run() // the only error is that the listener was closed
}

// identify finds out which client a connection is from, and passes it on. It does not wait for a PROXY header.
func (p *Pool) identify(port uint16, conn *net.TCPConn, number uint64) {
	p.headers.Identify(conn, p.policy(), func(o proxy.Origin, err error) {
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

// reject drops a connection whose client is unknown, because its PROXY header is missing or wrong.
func (p *Pool) reject(port uint16, conn *net.TCPConn, peer netip.Addr, err error) {
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
// client, mostly the same one in an earlier session, while this process had no time to accept it.
func (p *Pool) arrive(port uint16, conn *net.TCPConn, number uint64, peer netip.Addr) {
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
