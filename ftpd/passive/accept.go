package passive

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
)

// Bounds of the pause after an Accept that failed, which doubles each time.
const (
	minBackoff = 5 * time.Millisecond
	maxBackoff = time.Second
)

// acceptor is what a loop needs of a *listener.
type acceptor interface {
	accept() (conn *net.TCPConn, number uint64, err error)
}

// acceptLoop takes every connection to one port until the pool is closed. An error such as
// EMFILE passes, so the loop pauses and goes on.
func (p *Pool) acceptLoop(l acceptor, port uint16) {
	var backoff time.Duration
	for {
		conn, number, err := l.accept()
		switch {
		case err == nil:
			if backoff > 0 {
				p.log.Info("accepting data connections again", "port", port)
				backoff = 0
			}
			p.meet(port, conn, number)
			continue
		case errors.Is(err, net.ErrClosed):
			return
		case backoff == 0:
			p.log.Warn("can't accept data connections; trying again", "port", port, "error", err)
		}
		backoff = min(max(2*backoff, minBackoff), maxBackoff)
		pause := time.NewTimer(backoff)
		select {
		case <-pause.C:
		case <-p.closed:
			pause.Stop()
			return
		}
	}
}

// meet finds out whose connection it is: the peer's, or that of a client of whom the peer, a
// proxy, tells. It does not wait for what the proxy has to say.
func (p *Pool) meet(port uint16, conn *net.TCPConn, number uint64) {
	peer := peerOf(conn)
	expects, err := p.policy().Expects(peer)
	switch {
	case err != nil:
		p.headless(port, conn, peer, err)
	case !expects:
		p.arrive(port, conn, number, peer)
	case !p.headers.Go(conn, func(h proxy.Header, err error) {
		switch {
		case err != nil:
			p.headless(port, conn, peer, err)
		case h.Local: // the proxy's own: it asks whether the port is open
			_ = conn.Close()
		default:
			p.arrive(port, conn, number, h.Source.Addr())
		}
	}):
		p.headless(port, conn, peer, errors.New("too many connections whose header has not come yet"))
	}
}

// headless drops a connection of which it can't be said whose it is.
func (p *Pool) headless(port uint16, conn *net.TCPConn, peer netip.Addr, err error) {
	p.mu.Lock()
	p.stats.Headless++
	p.mu.Unlock()
	p.log.Debug("dropped a data connection", "port", port, "peer", peer, "error", err)
	_ = conn.Close()
}

// arrive hands a connection to the reservation that it belongs to, or closes it: in the ordinary
// way, not with a reset, so that a load balancer's probe of the port succeeds.
//
// A connection that was made before the reservation is not its client's: somebody, mostly the same client in an
// earlier session, has left it in the listener's queue while this process had no time to accept it.
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

func peerOf(conn *net.TCPConn) netip.Addr {
	addr, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return addr.AddrPort().Addr().Unmap()
}
