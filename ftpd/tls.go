package ftpd

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

const (

	// maxEarly is the largest number of octets discarded that a client sent before TLS begins.
	maxEarly = 64 << 10
)

// tlsState is the TLS state of a session.
type tlsState struct {
	implicit bool                // TLS begins with the connection and ends with it (implicit FTPS)
	tls      *tls.Conn           // the control connection; nil while that is in clear text
	cleared  bool                // CCC came: clear text after TLS
	bound    *ftptls.Session     // what data connections share with tls; stays after CCC
	control  tls.ConnectionState // the state of tls; stays after CCC
}

// beginTLS does the TLS handshake on the control connection. No goroutine may read commands meanwhile. If the
// handshake fails, beginTLS ends the session and returns false.
func (s *session) beginTLS(store *ftptls.Store) bool {
	if store == nil { // a reload has just removed TLS
		s.closeIntake()
		return false
	}
	bound := store.NewSession(s.host)
	conn := bound.Control(s.conn)
	_ = s.conn.SetDeadline(time.Now().Add(s.settings().cfg.Timeouts.Handshake.Std()))
	if err := conn.HandshakeContext(s.ctx); err != nil {
		s.srv.observer.Handshake(observe.ControlChannel, observe.HandshakeFailed)
		s.log.Warn("TLS handshake failed", "error", err)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.report(bans.NoLogin)
		}
		s.drop()
		return false
	}
	_ = s.conn.SetDeadline(time.Time{})
	s.tls, s.bound, s.control, s.cleared = conn, bound, conn.ConnectionState(), false
	s.activity.setTLS(s.control.Version)
	s.srv.observer.Handshake(observe.ControlChannel, transfer.HandshakeResult(nil, s.control.DidResume))
	s.pbsz, s.private = s.implicit, s.implicit
	s.out.Reset(conn)
	s.in.Reset(conn)
	s.log.Debug("TLS", "version", tls.VersionName(s.control.Version), "cipher", tls.CipherSuiteName(s.control.CipherSuite),
		"serverName", s.control.ServerName, "resumed", s.control.DidResume)
	return true
}

// endTLS returns the control connection to clear text after the last reply in TLS. No goroutine may read commands
// meanwhile. The client must end TLS, too: clear text from it before that would not be understood. If the client does
// not, endTLS ends the session and returns false.
func (s *session) endTLS() bool {
	conn := s.tls
	s.tls = nil
	s.activity.setTLS(0)
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
	s.closeIntake()
	s.leave()
	_ = s.conn.Close()
}

// forgetEarly discards what the client sent after AUTH and before the reply: an attacker may have inserted it, so
// that it would be executed as if it had come through TLS. No goroutine may read commands meanwhile.
func (s *session) forgetEarly() {
	s.in.Reset(s.conn)
	socket.Discard(s.conn, maxEarly)
}

// mustProtect reports whether a transfer must be refused because data connections need TLS and PROT P is not in force
// (RFC 4217 section 10.2).
func (s *session) mustProtect() bool {
	cfg := s.settings().cfg.TLS
	return cfg != nil && cfg.Data == config.PolicyRequired && !s.private
}

// mustEncrypt reports whether a login must be refused because it needs TLS and the control connection is in clear
// text.
func (s *session) mustEncrypt() bool {
	cfg := s.settings().cfg.TLS
	return cfg != nil && cfg.Login == config.PolicyRequired && s.tls == nil
}

// dataTLS returns the TLS parameters of the next data connection; nil if it is in clear text.
func (s *session) dataTLS() *transfer.TLS {
	if !s.private {
		return nil
	}
	cfg := s.settings().cfg
	return &transfer.TLS{
		Bound: s.bound, Control: s.control,
		Handshake:       cfg.Timeouts.Handshake.Std(),
		AllowTruncation: cfg.TLS != nil && cfg.TLS.AllowTruncation,
	}
}
