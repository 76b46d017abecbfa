package ftpclient

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Host is the network of the machine that the test runs on.
type Host struct {
	// Source is the address to dial from; the zero value leaves the choice to the machine.
	Source netip.Addr
}

// Dial connects to host:port within five seconds.
func (h Host) Dial(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	if h.Source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(h.Source, 0))
	}
	return d.DialContext(ctx, "tcp", address)
}

// Listen listens on loopback, for servers on the same machine.
func (Host) Listen(ctx context.Context) (net.Listener, error) {
	var l net.ListenConfig
	return l.Listen(ctx, "tcp", "127.0.0.1:0")
}
