package ftpd

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
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
// its side. A session drains one connection at a time: the next one ends this.
func (s *session) drain(conn *net.TCPConn) {
	s.endDrain()
	s.drained = conn
	_ = conn.SetDeadline(time.Now().Add(drainTime))
	go func() {
		buf := buffers.Get().(*[]byte)
		defer buffers.Put(buf)
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(conn, drainBytes), *buf)
		_ = conn.Close()
	}()
}

// endDrain ends what drain does.
func (s *session) endDrain() {
	if s.drained != nil {
		_ = s.drained.Close()
		s.drained = nil
	}
}

// refusedUpload reports whether the server has ended an upload, with err, whose client still sends.
func (t *transfer) refusedUpload(err error) bool {
	return t.upload && err != nil && t.stopped() == nil && !isBroken(err) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// settle makes err, if it is one, what the transfer failed with, whatever happens to it from now on: that the
// client leaves is no cause of what came before.
func (t *transfer) settle(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled = t.settled || err != nil && t.aborted == nil
}

// take returns the client's connection if it is there already, and nil if not.
func (c passiveConnector) take() *net.TCPConn {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	conn, err := c.Accept(now)
	if err != nil {
		return nil
	}
	return conn
}

func (c activeConnector) take() *net.TCPConn { return nil }

// refuseData gives up a data connection after the reply that refused its transfer. With TLS the client may be in the
// midst of the handshake, and takes a connection that breaks for a server that it has to ask for another
// port: it then takes the refusal for the reply to that (curl 7.88).
func (s *session) refuseData(why UnusedReservation) {
	if s.data == nil || !s.private || why != refusedCommand {
		s.dropData(why)
		return
	}
	if conn := s.data.take(); conn != nil {
		s.drain(conn)
	}
	s.dropData(why)
}
