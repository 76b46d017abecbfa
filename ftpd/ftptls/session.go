package ftptls

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync/atomic"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// The reasons for refusing a data connection although its handshake has succeeded.
var (
	// ErrNotResumed means that it did not resume the TLS session of its control connection.
	ErrNotResumed = errors.New("the data connection must resume the control connection's TLS session")
	// ErrOtherCertificate means that the client showed a different certificate than on the control connection (RFC
	// 4217 section 15.1.2).
	ErrOtherCertificate = errors.New("the client's certificate is not the control connection's")
)

const (
	// extensionPSK is the TLS 1.3 extension in which a client names the session to resume.
	extensionPSK = 41
	// extensionEncryptThenMAC (RFC 7366) is an extension that OpenSSL and GnuTLS send, and crypto/tls does not.
	extensionEncryptThenMAC = 22
)

// Session is the TLS of one control connection and its data connections. It encrypts tickets with a key of its own,
// so only a client that got its ticket from this Session can resume.
type Session struct {
	reuse  config.SessionReuse
	base   *tls.Config // the settings that control and data connections share
	chosen atomic.Pointer[tls.Certificate]
}

// NewSession prepares the TLS of a control connection. host is the argument of HOST, or "" if there was none; it
// decides which certificate a client gets that does not send a server name.
func (s *Store) NewSession(host string) *Session {
	m := s.current.Load()
	x := &Session{reuse: s.cfg.SessionReuse}
	x.base = &tls.Config{
		MinVersion: tls.VersionTLS12,
		ClientCAs:  m.clientCAs,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if c := x.chosen.Load(); c != nil {
				return c, nil // data connections use the control connection's certificate (RFC 4217 section 15.1.1)
			}
			name := hello.ServerName
			if name == "" {
				name = host
			}
			x.chosen.Store(choose(m.certificates, hello, name))
			return x.chosen.Load(), nil
		},
	}
	if s.cfg.MinVersion == config.TLS13 {
		x.base.MinVersion = tls.VersionTLS13
	}
	switch s.cfg.ClientAuth.Mode {
	case config.ClientAuthOptional:
		x.base.ClientAuth = tls.VerifyClientCertIfGiven
	case config.ClientAuthRequired:
		x.base.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if s.cfg.SessionReuse == config.SessionReuseOff {
		x.base.SessionTicketsDisabled = true
		return x
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	x.base.SetSessionTicketKeys([][32]byte{key})
	return x
}

// Control returns the TLS connection of the control connection over conn. It reads nothing beyond the end of TLS.
func (x *Session) Control(conn net.Conn) *tls.Conn {
	cfg := x.base.Clone()
	cfg.NextProtos = []string{"ftp"} // refuses clients of other protocols (ALPACA)
	return tls.Server(&recordCarrier{Conn: conn}, cfg)
}

// Data returns the TLS connection of a data connection over conn. The FTP server is the TLS server, even if it has
// dialed the client (RFC 4217 section 7). upload reports whether the client sends the data.
//
// A data connection that does not resume a session gets no ticket: with it, a stranger whose connection is refused
// would be let in the next time. An upload gets no ticket either, because its client may never read what comes after
// the handshake, as the tickets of TLS 1.3 do: the client's kernel resets a connection that is closed while it has
// unread bytes, and the end of the upload is lost.
func (x *Session) Data(conn net.Conn, upload bool) *tls.Conn {
	cfg := x.base.Clone()
	cfg.NextProtos = []string{"ftp-data", "ftp"}
	cfg.DynamicRecordSizingDisabled = true // favors throughput over the time to the first byte
	if !cfg.SessionTicketsDisabled {
		x.bind(cfg, upload)
	}
	return tls.Server(recordConn{conn}, cfg)
}

// bind decides which data connections get tickets. SessionTicketsDisabled also forbids resuming, so it is set only
// once that has been decided. crypto/tls does not promise to read the field again later: TestUploadGetsNoTicket
// checks that it does.
func (x *Session) bind(cfg *tls.Config, upload bool) {
	keeps := false // the client keeps its ticket if it gets an empty one
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		keeps = slices.Contains(hello.Extensions, extensionEncryptThenMAC)
		if slices.Contains(hello.SupportedVersions, tls.VersionTLS13) && !slices.Contains(hello.Extensions, extensionPSK) {
			cfg.SessionTicketsDisabled = true // this is TLS 1.3 with nothing to resume
		}
		return nil, nil
	}
	cfg.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := x.base.DecryptTicket(ticket, state)
		if session == nil || upload && state.Version == tls.VersionTLS13 {
			cfg.SessionTicketsDisabled = true
		}
		return session, err
	}
	cfg.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		if keeps && state.DidResume && state.Version == tls.VersionTLS12 {
			// crypto/tls sends a ticket in each resumed handshake of TLS 1.2. When OpenSSL gets a new ticket it drops
			// the session that it has resumed, and does not notify programs that are about to resume it again (PHP,
			// Ruby). A client that gets an empty ticket keeps the one that it has (RFC 5077 section 3.3), except for
			// crypto/tls, which takes it for a ticket.
			return nil, nil
		}
		if !state.DidResume {
			// The ticket could be read, and yet the session was not resumed: anyone may have seen the ticket on the
			// wire.
			return []byte(rand.Text()), nil
		}
		return x.base.EncryptTicket(state, session)
	}
}

// Check returns why a data connection is refused although its handshake has succeeded: ErrNotResumed or
// ErrOtherCertificate. It returns nil if the connection is accepted.
func (x *Session) Check(control, data tls.ConnectionState) error {
	if x.reuse == config.SessionReuseRequire && !data.DidResume {
		return ErrNotResumed
	}
	if len(control.PeerCertificates) > 0 && (len(data.PeerCertificates) == 0 ||
		!control.PeerCertificates[0].Equal(data.PeerCertificates[0])) {
		return ErrOtherCertificate
	}
	return nil
}
