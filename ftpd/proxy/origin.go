package proxy

import (
	"errors"
	"net"
	"net/netip"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// ErrPending means that too many headers are already awaited.
var ErrPending = errors.New("too many connections at this moment")

// Origin is where a connection comes from.
type Origin struct {
	// Peer is the address of the client, and Local the address that it has connected to.
	Peer, Local netip.AddrPort
	// Proxy is the address of the proxy that reported Peer and Local in its header. It is invalid if the client has
	// connected without a proxy.
	Proxy netip.AddrPort
	// Own means that a proxy has made the connection for itself, which its header says (LOCAL), for example to see
	// whether the port is open. Peer is the proxy then.
	Own bool
}

// Identify finds out where a connection comes from, and calls then with the result. If the policy expects no PROXY
// header from the peer, it calls then at once. Otherwise another goroutine reads the header and calls then, so
// Identify never blocks. It leaves the connection open.
//
// With an error, the origin is that of the TCP connection. Errors: ErrUntrusted; ErrPending; io.EOF if the peer
// closed the connection without a header, as a probe of the port does; and the errors of ReadHeader for a header that
// is missing or wrong.
func (r *Reader) Identify(conn *net.TCPConn, p *Policy, then func(Origin, error)) {
	r.IdentifyFrom(Origin{Peer: socket.AddrPort(conn.RemoteAddr()), Local: socket.AddrPort(conn.LocalAddr())}, conn, p, then)
}

// IdentifyFrom is Identify for a connection whose addresses, as TCP has them, the caller knows.
func (r *Reader) IdentifyFrom(direct Origin, conn *net.TCPConn, p *Policy, then func(Origin, error)) {
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
