package ftpd

import (
	"context"
	"net"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// A client that sends a file reads no reply meanwhile, or only after what it has begun. If its data
// connection were closed with bytes unread, the kernel would reset it, and the client would report a broken
// connection, and perhaps send everything again, instead of the reply that says why. So the reply goes
// first, and what the client still sends is thrown away for a while.
const (
	// drainTime and drainBytes bound that while.
	drainTime  = 5 * time.Second
	drainBytes = 256 << 20
)

// drain throws away what comes on a data connection, whose end the client has been told of, until it closes
// its side. A session drains one connection at a time: the next one ends this. What take returns is the connection,
// or nil if there is none; it is called in a goroutine, and its context ends with the time or with the session. taken are
// the descriptors of the connection.
func (s *session) drain(taken budget.Held, take func(ctx context.Context) *net.TCPConn) {
	s.endDrain()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	s.stopDrain = cancel
	go func() {
		defer cancel()
		defer taken.GiveAll()
		conn := take(ctx)
		if conn == nil {
			return
		}
		defer func() { _ = conn.Close() }()
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		transfer.Discard(conn, drainBytes)
	}()
}

// endDrain ends what drain does.
func (s *session) endDrain() {
	if s.stopDrain != nil {
		s.stopDrain()
		s.stopDrain = nil
	}
}

// refuseData gives up a data connection after the reply that refused its transfer. With TLS the client may be in the
// midst of the handshake, and takes a connection that breaks for a server that it has to ask for another
// port: it then takes the refusal for the reply to that (curl 7.88).
func (s *session) refuseData(why observe.UnusedReservation) {
	if s.data == nil || !s.private || why != refusedCommand {
		s.dropData(why)
		return
	}
	s.drain(s.held.Move(), s.data.Take)
	s.data = nil
}
