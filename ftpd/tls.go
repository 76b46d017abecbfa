package ftpd

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

const (
	// tlsPoll is how often the files of certificates are looked at.
	tlsPoll = 2 * time.Second
	// maxEarly bounds what is thrown away of what a client sends before TLS begins.
	maxEarly = 64 << 10
)

// secured is a session's TLS.
type secured struct {
	implicit bool                // TLS began with the connection, and ends with it
	tls      *tls.Conn           // the control connection's; nil while it is in clear text
	cleared  bool                // CCC came: in clear text after TLS
	bound    *ftptls.Session     // what data connections share with tls; also after CCC
	control  tls.ConnectionState // of tls; also after CCC
}

// refreshTLS has the settings in force follow their files until ctx ends.
func (s *Server) refreshTLS(ctx context.Context) {
	tick := time.NewTicker(tlsPoll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if store := s.settings.Load().tls; store != nil {
				store.Refresh()
			}
		case <-ctx.Done():
			return
		}
	}
}

// beginTLS does the handshake on the control connection, while nobody reads commands. If it fails, the
// connection is over.
func (s *session) beginTLS(store *ftptls.Store) bool {
	if store == nil { // a reload has just taken TLS away
		s.closing = true
		return false
	}
	bound := store.NewSession(s.host)
	conn := bound.Control(s.conn)
	_ = s.conn.SetDeadline(time.Now().Add(s.settings().cfg.Timeouts.Handshake.Std()))
	if err := conn.HandshakeContext(s.ctx); err != nil {
		s.srv.observer.Handshake(observe.ControlChannel, observe.HandshakeFailed)
		s.log.Warn("TLS handshake failed", "error", err)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.misdeed(bans.NoLogin)
		}
		s.drop()
		return false
	}
	_ = s.conn.SetDeadline(time.Time{})
	s.tls, s.bound, s.control, s.cleared = conn, bound, conn.ConnectionState(), false
	s.activity.secure(s.control.Version)
	s.srv.observer.Handshake(observe.ControlChannel, handshake(nil, s.control.DidResume))
	s.pbsz, s.private = s.implicit, s.implicit
	s.out.Reset(conn)
	s.in.Reset(conn)
	s.log.Debug("TLS", "version", tls.VersionName(s.control.Version), "cipher", tls.CipherSuiteName(s.control.CipherSuite),
		"serverName", s.control.ServerName, "resumed", s.control.DidResume)
	return true
}

// endTLS goes back to clear text after the last reply in TLS, while nobody reads commands. The client
// has to end TLS too: what it would send in clear text before that is not understood.
func (s *session) endTLS() bool {
	conn := s.tls
	s.tls = nil
	s.activity.secure(0)
	_ = conn.CloseWrite()
	_ = s.conn.SetDeadline(time.Now().Add(s.settings().cfg.Timeouts.Handshake.Std()))
	n, err := conn.Read(make([]byte, 1))
	if n > 0 || !errors.Is(err, io.EOF) {
		s.log.Warn("the client did not end TLS", "error", err)
		s.drop()
		return false
	}
	_ = s.conn.SetDeadline(time.Time{})
	s.out.Reset(s.conn)
	s.in.Reset(s.conn)
	return true
}

// drop ends a session whose connection is in no state for a last reply (RFC 4217 section 10.1).
func (s *session) drop() {
	s.closing = true
	s.leave()
	_ = s.conn.Close()
}

// forgetEarly throws away what the client has sent after AUTH and before it was told to go on:
// an attacker may have put it there, to have it executed as if it had come through TLS.
// Nobody reads commands meanwhile.
func (s *session) forgetEarly() {
	s.in.Reset(s.conn)
	socket.Discard(s.conn, maxEarly)
}

// mustProtect reports whether a transfer may not begin as PROT stands (RFC 4217 section 10.2).
func (s *session) mustProtect() bool {
	cfg := s.settings().cfg.TLS
	return cfg != nil && cfg.Data == config.PolicyRequired && !s.private
}

// mustEncrypt reports whether a login may not begin in clear text.
func (s *session) mustEncrypt() bool {
	cfg := s.settings().cfg.TLS
	return cfg != nil && cfg.Login == config.PolicyRequired && s.tls == nil
}

// dataTLS is what a transfer needs to know to protect its data connection.
type dataTLS struct {
	bound           *ftptls.Session
	control         tls.ConnectionState
	handshake       time.Duration
	allowTruncation bool
}

// dataTLS is nil if the next data connection is in clear text.
func (s *session) dataTLS() *dataTLS {
	if !s.private {
		return nil
	}
	cfg := s.settings().cfg
	return &dataTLS{
		bound: s.bound, control: s.control,
		handshake:       cfg.Timeouts.Handshake.Std(),
		allowTruncation: cfg.TLS != nil && cfg.TLS.AllowTruncation,
	}
}

// protectError is a data connection that TLS was not agreed upon for.
type protectError struct{ error }

func (e *protectError) Unwrap() error { return e.error }

// protect does the handshake on the data connection, if PROT P asks for one. It returns what the
// data are to be moved over.
func (t *transfer) protect(raw *net.TCPConn) (net.Conn, error) {
	if t.tls == nil {
		return raw, nil
	}
	below := &records{paced: paced{raw, t}}
	conn := t.tls.bound.Data(below, t.kind == kindUpload)
	t.capDeadline(time.Now().Add(t.tls.handshake))
	err := conn.Handshake()
	t.capDeadline(time.Time{})
	if err == nil {
		err = t.tls.bound.Check(t.tls.control, conn.ConnectionState())
	}
	t.observer.Handshake(observe.DataChannel, handshake(err, conn.ConnectionState().DidResume))
	if err != nil {
		return nil, &protectError{err}
	}
	t.secure = conn
	if t.kind == kindUpload {
		socket.QuickAck(raw)
	}
	return protected{conn, below, t.tls.allowTruncation}, nil
}

// handshake sorts the results of handshakes.
func handshake(err error, resumed bool) observe.HandshakeResult {
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
