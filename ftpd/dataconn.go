package ftpd

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// connector makes the one data connection that PASV, EPSV, PORT or EPRT agreed upon.
type connector interface {
	// connect waits for the client, or dials it.
	connect(ctx context.Context) (*net.TCPConn, error)
	// release gives up what is held for it; it may be called at any time, and again.
	release()
	// take returns the client's connection if it is there already or about to be, and nil if not. It releases.
	take(ctx context.Context) *net.TCPConn
	// describe is for STAT.
	describe() string
}

// passiveConnector waits on a reserved port.
type passiveConnector struct {
	*passive.Reservation
	told string // what the client was told, for the log
}

func (c passiveConnector) connect(ctx context.Context) (*net.TCPConn, error) { return c.Accept(ctx) }
func (c passiveConnector) release()                                          { c.Release() }
func (c passiveConnector) describe() string {
	return fmt.Sprintf("passive, port %d is reserved", c.Port())
}

// activeConnector dials the client, from the address that the client knows the server by.
type activeConnector struct {
	from    netip.AddrPort // the port is zero for any
	to      netip.AddrPort
	timeout time.Duration
}

func (c activeConnector) connect(ctx context.Context) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: c.timeout, LocalAddr: net.TCPAddrFromAddrPort(c.from)}
	if c.from.Port() != 0 {
		d.Control = socket.ReuseAddress
	}
	conn, err := d.DialContext(ctx, "tcp", c.to.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // what a Dialer returns for "tcp"
}

func (c activeConnector) release()         {}
func (c activeConnector) describe() string { return "active, to " + c.to.String() }

// takeData takes the descriptor of the next data connection, giving up what was agreed upon. If there is none, it says so and returns
// false. A setData has to follow, or s.held.give.
func (s *session) takeData() bool {
	s.dropData(observe.UnusedReplaced)
	s.heldForData = budget.DataDescriptors
	if s.settings().cfg.Passive.PeerCheck == config.PeerCheckRelaxed {
		s.heldForData *= passive.MaxCandidates // until it is known which of them is the client's
	}
	if s.held.Take(s.heldForData) {
		return true
	}
	s.log.Warn("data connection refused", "error", budget.ErrNoDescriptors)
	s.reply(425, "Too many files and connections are open; try again later.")
	return false
}

// setData is what PASV, EPSV, PORT or EPRT has agreed upon, after takeData.
func (s *session) setData(c connector) { s.data = c }

// dropData gives up what was agreed upon.
func (s *session) dropData(why observe.UnusedReservation) {
	if s.data != nil {
		s.data.release()
		s.unused(s.data, why)
		s.data = nil
		s.held.Give(s.heldForData)
	}
}
