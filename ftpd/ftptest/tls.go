package ftptest

import (
	"bufio"
	"crypto/tls"
	"net"
	"testing"
)

// secured is the TLS state of a client.
type secured struct {
	control *tls.Conn
	config  *tls.Config // for data connections; nil: they are in clear text
}

// StartTLS does the TLS handshake on the control connection.
func (c *Client) StartTLS(cfg *tls.Config) *tls.Conn {
	c.t.Helper()
	c.control = tls.Client(c.TCPConn, cfg)
	_ = c.SetDeadline(Deadline(c.t))
	if err := c.control.Handshake(); err != nil {
		c.t.Fatalf("TLS handshake: %v", err)
	}
	c.r, c.w = bufio.NewReader(c.control), c.control
	return c.control
}

// ClearText returns the control connection to clear text, after the server's close_notify.
func (c *Client) ClearText() {
	c.t.Helper()
	if line, err := c.Line(); err == nil {
		c.t.Fatalf("expected close_notify, got %q", line)
	}
	if err := c.control.CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
	c.control = nil
	_ = c.SetDeadline(Deadline(c.t))
	c.r, c.w = bufio.NewReader(c.TCPConn), c.TCPConn
}

// Secure sends AUTH TLS, does the handshake, and protects data connections.
func (c *Client) Secure(cfg *tls.Config) {
	c.t.Helper()
	c.Must("AUTH TLS", "234")
	c.StartTLS(cfg)
	c.Must("PBSZ 0", "200")
	c.Must("PROT P", "200")
	c.config = cfg
}

// LoginTLS connects, secures the connection and logs in.
func LoginTLS(t testing.TB, addr, user string, cfg *tls.Config) *Client {
	t.Helper()
	c := Dial(t, addr)
	c.Talk("S: 220 *")
	c.Secure(cfg)
	c.LoginAs(user)
	return c
}

// DataTLS sets the TLS configuration of data connections from now on; nil means clear text.
func (c *Client) DataTLS(cfg *tls.Config) { c.config = cfg }

// Protect does the TLS handshake on a data connection, if data connections are protected. A failed handshake shows
// when the connection is used.
func (c *Client) Protect(raw *net.TCPConn) net.Conn {
	c.t.Helper()
	if c.config == nil {
		return raw
	}
	data := tls.Client(raw, c.config)
	_ = data.Handshake()
	return data
}
