package transfer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// Connector makes the one data connection that PASV, EPSV, PORT or EPRT agreed upon.
type Connector interface {
	// Connect waits for the client, or dials it.
	Connect(ctx context.Context) (*net.TCPConn, error)
	// Release gives up what is held for it; it may be called at any time, and again.
	Release()
	// Take returns the client's connection if it is there already or about to be, and nil if not. It releases.
	Take(ctx context.Context) *net.TCPConn
	// Describe is for STAT.
	Describe() string
}

// Passive waits on a reserved port.
type Passive struct {
	*passive.Reservation
	Told string // what the client was told, for the log
}

// Connect waits for the client.
func (c Passive) Connect(ctx context.Context) (*net.TCPConn, error) { return c.Accept(ctx) }

// Describe is for STAT.
func (c Passive) Describe() string {
	return fmt.Sprintf("passive, port %d is reserved", c.Port())
}

// Active dials the client, from the address that the client knows the server by.
type Active struct {
	From    netip.AddrPort // the port is zero for any
	To      netip.AddrPort
	Timeout time.Duration
}

// Connect dials the client.
func (c Active) Connect(ctx context.Context) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: c.Timeout, LocalAddr: net.TCPAddrFromAddrPort(c.From)}
	if c.From.Port() != 0 {
		d.Control = socket.ReuseAddress
	}
	conn, err := d.DialContext(ctx, "tcp", c.To.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // what a Dialer returns for "tcp"
}

// Release has nothing to give up.
func (c Active) Release() {}

// Describe is for STAT.
func (c Active) Describe() string { return "active, to " + c.To.String() }

// takeTime is how long a connection that the client has begun may take to get here: it is in the kernel, and
// the goroutine that accepts has yet to run.
const takeTime = time.Second

// Take returns the client's connection if it comes within takeTime, and nil if not. It ends the reservation.
func (c Passive) Take(ctx context.Context) *net.TCPConn {
	defer c.Release()
	soon, cancel := context.WithTimeout(ctx, takeTime)
	defer cancel()
	conn, err := c.Accept(soon)
	if err != nil {
		return nil
	}
	return conn
}

// Take returns nil: only the server opens the connection, when the transfer begins.
func (c Active) Take(context.Context) *net.TCPConn { return nil }
