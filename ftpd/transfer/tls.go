package transfer

import (
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// TLS holds what a transfer needs to protect its data connection.
type TLS struct {
	Bound           *ftptls.Session
	Control         tls.ConnectionState
	Handshake       time.Duration
	AllowTruncation bool
}

// protectError means that TLS on the data connection was not agreed upon.
type protectError struct{ error }

func (e *protectError) Unwrap() error { return e.error }

// protect does the TLS handshake on the data connection, if t.TLS is not nil. It returns the connection to move the
// data over.
func (t *Transfer) protect(raw *net.TCPConn) (net.Conn, error) {
	if t.TLS == nil {
		return raw, nil
	}
	below := &recordWriter{deadlineConn: deadlineConn{raw, t}}
	conn := t.TLS.Bound.Data(below, t.Kind == Upload)
	t.capDeadline(time.Now().Add(t.TLS.Handshake))
	err := conn.Handshake()
	t.capDeadline(time.Time{})
	if err == nil {
		err = t.TLS.Bound.Check(t.TLS.Control, conn.ConnectionState())
	}
	t.Observer.Handshake(observe.DataChannel, HandshakeResult(err, conn.ConnectionState().DidResume))
	if err != nil {
		return nil, &protectError{err}
	}
	t.secure = conn
	if t.Kind == Upload {
		socket.QuickAck(raw)
	}
	return tlsConn{conn, below, t.TLS.AllowTruncation}, nil
}

// HandshakeResult returns the result of a TLS handshake as metrics name it.
func HandshakeResult(err error, resumed bool) observe.HandshakeResult {
	switch {
	case errors.Is(err, ftptls.ErrNotResumed), errors.Is(err, ftptls.ErrOtherCertificate):
		return observe.HandshakeRefused
	case err != nil:
		return observe.HandshakeFailed
	case resumed:
		return observe.HandshakeResumed
	default:
		return observe.HandshakeFull
	}
}
