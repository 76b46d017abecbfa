// Package passive is the pool of passive ports: bound once, for the life of the process, and
// shared by all sessions through reservations of a (port, client) pair that last only from the
// PASV reply to the data connection.
package passive

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Errors of the pool, for errors.Is. A closed pool and a released reservation give net.ErrClosed.
var (
	// ErrExhausted: no port was free for the client in time.
	ErrExhausted = errors.New("no passive port is free")
	// ErrExpired: the client did not connect in time.
	ErrExpired = errors.New("no data connection came in time")
)

// Pool holds the listeners.
type Pool struct{}

// Listen binds every port on host, an IP address, or empty for every address of both families.
// It binds all or nothing; the error names the port. Close ends it.
func Listen(host string, ports config.PortSet, log *slog.Logger) (*Pool, error) { return &Pool{}, nil }

// Close closes the listeners, ends every reservation and waits for the pool's goroutines.
// Connections that Accept returned stay open.
func (p *Pool) Close() error { return nil }

// Ports returns the ports held.
func (p *Pool) Ports() config.PortSet { return nil }

// Stats are counts of a pool.
type Stats struct {
	// Ports held, Reservations that wait for their connection, and Waiting calls of Reserve: now.
	Ports, Reservations, Waiting int
	// Reserved, Accepted, Expired, Strangers and Exhausted count since the start: reservations
	// made, data connections matched to one, reservations that no connection came for in time,
	// connections dropped because none was waiting for them, and calls of Reserve that found no
	// free port in time.
	Reserved, Accepted, Expired, Strangers, Exhausted uint64
}

// Stats returns the counts.
func (p *Pool) Stats() Stats { return Stats{} }

// Request asks for a reservation.
type Request struct {
	// Client is the address that will connect: the control connection's peer.
	Client netip.Addr
	// AnyPeer lets any address connect, for where source NAT hides the client's. The port then
	// carries no other reservation.
	AnyPeer bool
	// Timeout bounds the wait for a free port, and after that the wait for the connection.
	Timeout time.Duration
}

// Reserve reserves a port for one connection of the client, waiting for a free one if need be,
// first come first served. Errors: ErrExhausted after r.Timeout, the context's, net.ErrClosed.
func (p *Pool) Reserve(ctx context.Context, r Request) (*Reservation, error) {
	return nil, ErrExhausted
}

// Reservation is the claim to one connection. It must be ended by Release, also after Accept.
type Reservation struct{}

// Port is the port to tell the client.
func (r *Reservation) Port() uint16 { return 0 }

// Accept returns the client's connection, which may have come before the call, as soon as it is
// there. It is then the caller's, to be closed by it. Errors: ErrExpired when none came within
// the timeout counted from Reserve's return, the context's (Accept may then be called again),
// net.ErrClosed after Release, a second success, or the pool's end.
func (r *Reservation) Accept(ctx context.Context) (*net.TCPConn, error) { return nil, ErrExpired }

// Release ends the reservation and closes a connection that Accept has not returned. It may be
// called at any time and any number of times.
func (r *Reservation) Release() {}
