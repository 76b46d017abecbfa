package proxy

import (
	"errors"
	"net"
	"net/netip"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// ErrPending means that too many headers are awaited already.
var ErrPending = errors.New("too many connections at this moment")

// Origin is where a connection comes from.
type Origin struct {
	// Peer is the client, and Local what it has connected to.
	Peer, Local netip.AddrPort
	// Proxy has reported the two in its header. It is invalid if the client has connected by itself.
	Proxy netip.AddrPort
	// Own: a proxy has made the connection for itself, which its header says (LOCAL), such as to see whether the port is open.
	// Peer is the proxy then.
	Own bool
}

// Identify learns where a connection comes from, by its PROXY header if the policy expects one of its peer, and calls then
// with that: at once if no header is to come, or else in another goroutine, so Identify never waits. It leaves
// the connection open. Errors: ErrUntrusted; ErrPending; io.EOF if the peer closed the connection without a header, as it
// does to see whether the port is open; what ReadHeader returns for a header that is missing or wrong. With an error, the
// origin is that of the TCP connection.
func (r *Reader) Identify(conn *net.TCPConn, p *Policy, then func(Origin, error)) {
	direct := Origin{Peer: socket.AddrPort(conn.RemoteAddr()), Local: socket.AddrPort(conn.LocalAddr())}
	expects, err := p.Expects(direct.Peer.Addr())
	if err != nil || !expects {
		then(direct, err)
		return
	}
	begun := r.Go(conn, func(h Header, err error) {
		o := direct
		switch {
		case err != nil:
		case h.Local:
			o.Own = true
		default:
			o = Origin{Peer: h.Source, Local: h.Destination, Proxy: direct.Peer}
		}
		then(o, err)
	})
	if !begun {
		then(direct, ErrPending)
	}
}
