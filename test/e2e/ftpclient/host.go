package ftpclient

import (
	"context"
	"net"
	"time"
)

// Host is the network of the machine that the test runs on.
type Host struct{}

// Dial connects to host:port within five seconds.
func (Host) Dial(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	return d.DialContext(ctx, "tcp", address)
}

// Listen listens on loopback, for servers on the same machine.
func (Host) Listen(ctx context.Context) (net.Listener, error) {
	var l net.ListenConfig
	return l.Listen(ctx, "tcp", "127.0.0.1:0")
}
