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

// Connector makes the data connection that was agreed upon by PASV, EPSV, PORT or EPRT.
type Connector interface {
	// Connect waits for the client's connection, or connects to the client.
	Connect(ctx context.Context) (*net.TCPConn, error)
	// Release gives up the reserved port, if there is one. It may be called at any time, and more than once.
	Release()
	// Take returns the client's connection if it has arrived or is about to, and nil otherwise. It also calls
	// Release.
	Take(ctx context.Context) *net.TCPConn
	// Describe returns a text for the reply to STAT.
	Describe() string
}

// Passive accepts the data connection on a reserved port.
type Passive struct {
	*passive.Reservation
	Told string // the address or port that the client was told, for the log
}

// Connect waits for the client's connection.
func (c Passive) Connect(ctx context.Context) (*net.TCPConn, error) { return c.Accept(ctx) }

// Describe returns a text for the reply to STAT.
func (c Passive) Describe() string {
	return fmt.Sprintf("passive, port %d is reserved", c.Port())
}

// Active connects to the client, from the address that the client knows the server by.
type Active struct {
	From    netip.AddrPort // port 0 means any port
	To      netip.AddrPort
	Timeout time.Duration
}

// Connect connects to the client.
func (c Active) Connect(ctx context.Context) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: c.Timeout, LocalAddr: net.TCPAddrFromAddrPort(c.From)}
	if c.From.Port() != 0 {
		d.Control = socket.ReuseAddress
	}
	conn, err := d.DialContext(ctx, "tcp", c.To.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // a Dialer returns this type for "tcp"
}

// Release does nothing: no port is reserved.
func (c Active) Release() {}

// Describe returns a text for the reply to STAT.
func (c Active) Describe() string { return "active, to " + c.To.String() }

// takeTime is the time that Take waits for a connection which the client has opened: the kernel has it, but the
// goroutine that accepts it may not have run yet.
const takeTime = time.Second

// Take returns the client's connection if it arrives within takeTime, and nil otherwise. It ends the reservation.
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
