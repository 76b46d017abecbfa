package passive

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// Bounds of the pause after an Accept that failed, which doubles each time.
const (
	minBackoff = 5 * time.Millisecond
	maxBackoff = time.Second
)

// acceptor is what a loop needs of a *net.TCPListener.
type acceptor interface {
	AcceptTCP() (*net.TCPConn, error)
}

// acceptLoop takes every connection to one port until the pool is closed. An error such as
// EMFILE passes, so the loop pauses and goes on.
func (p *Pool) acceptLoop(l acceptor, port uint16) {
	var backoff time.Duration
	for {
		conn, err := l.AcceptTCP()
		switch {
		case err == nil:
			if backoff > 0 {
				p.log.Info("accepting data connections again", "port", port)
				backoff = 0
			}
			p.arrive(port, conn)
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

// arrive hands a connection to the reservation that it belongs to, or closes it: in the ordinary
// way, not with a reset, so that a load balancer's probe of the port succeeds.
func (p *Pool) arrive(port uint16, conn *net.TCPConn) {
	peer := peerOf(conn)
	p.mu.Lock()
	h := p.ledger.find(port, peer)
	if h == nil || p.ended {
		p.stats.Strangers++
		p.mu.Unlock()
		p.log.Debug("dropped a connection that no session waits for", "port", port, "peer", peer)
		_ = conn.Close()
		return
	}
	p.stats.Accepted++
	h.owner.conn = conn
	h.owner.finish(arrived)
	p.mu.Unlock()
}

func peerOf(conn *net.TCPConn) netip.Addr {
	addr, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return addr.AddrPort().Addr().Unmap()
}
