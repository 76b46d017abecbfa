package soak

import (
	"context"
	"net"
	"time"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// tap is the network of one session. It has the connections below TLS, so that tests can reset them.
type tap struct {
	ftpclient.Host
	control, data *net.TCPConn
	// wait is the time to wait for the server's connection in active mode: it never comes in a session that another
	// client has ended.
	wait time.Duration
}

// Dial connects; the first connection is the control connection.
func (n *tap) Dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := n.Host.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	if n.control == nil {
		n.control = tcp
	} else {
		n.data = tcp
	}
	return conn, nil
}

// Listen listens on the address that the session comes from, for active mode.
func (n *tap) Listen(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort(n.Source.String(), "0"))
	return tapped{l, n}, err
}

// tapped passes the connection that the server opens to the tap.
type tapped struct {
	net.Listener
	tap *tap
}

// Accept takes a connection.
func (l tapped) Accept() (net.Conn, error) {
	if err := l.Listener.(*net.TCPListener).SetDeadline(time.Now().Add(l.tap.wait)); err != nil {
		return nil, err
	}
	conn, err := l.Listener.Accept()
	if err == nil {
		l.tap.data = conn.(*net.TCPConn)
	}
	return conn, err
}

// reset makes a connection end with a reset when it is closed.
func reset(conn *net.TCPConn) { _ = conn.SetLinger(0) }
