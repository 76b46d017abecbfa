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

// Why a data connection is refused though its handshake succeeded.
var (
	// ErrNotResumed: it did not resume the TLS session of its control connection.
	ErrNotResumed = errors.New("the data connection must resume the control connection's TLS session")
	// ErrOtherCertificate: the client showed another certificate than on the control connection
	// (RFC 4217 section 15.1.2).
	ErrOtherCertificate = errors.New("the client's certificate is not the control connection's")
)

const (
	// extensionPSK is the TLS 1.3 extension in which a client names the session to resume.
	extensionPSK = 41
	// extensionEncryptThenMAC (RFC 7366) is sent by OpenSSL and GnuTLS, and not by crypto/tls.
	extensionEncryptThenMAC = 22
)

// Session is the TLS of one control connection and its data connections. Its tickets are made
// with keys of its own, so only a client that has one from here can resume.
type Session struct {
	reuse  config.SessionReuse
	base   *tls.Config // without what differs between control and data
	chosen atomic.Pointer[tls.Certificate]
}

// NewSession prepares the TLS of a control connection. host is what HOST named, "" if nothing
// did; it chooses the certificate of a client that does not send a server name.
func (s *Store) NewSession(host string) *Session {
	m := s.current.Load()
	x := &Session{reuse: s.cfg.SessionReuse}
	x.base = &tls.Config{
		MinVersion: tls.VersionTLS12,
		ClientCAs:  m.clientCAs,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if c := x.chosen.Load(); c != nil {
				return c, nil // data connections show the control connection's (RFC 4217 section 15.1.1)
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

// Control returns the control connection's TLS over conn. It reads nothing beyond its end.
func (x *Session) Control(conn net.Conn) *tls.Conn {
	cfg := x.base.Clone()
	cfg.NextProtos = []string{"ftp"} // a client of another protocol is refused (ALPACA)
	return tls.Server(&recordCarrier{Conn: conn}, cfg)
}

// Data returns a data connection's TLS over conn. FTP's server is TLS's, whoever has dialled
// (RFC 4217 section 7).
//
// A data connection that does not resume gets no ticket: a stranger whose connection is refused
// would be let in with it the next time. Neither does an upload, whose client may never read what
// comes after the handshake, as TLS 1.3's tickets do: the kernel resets a connection that is closed
// over unread bytes, and the end of the upload is lost.
func (x *Session) Data(conn net.Conn, upload bool) *tls.Conn {
	cfg := x.base.Clone()
	cfg.NextProtos = []string{"ftp-data", "ftp"}
	cfg.DynamicRecordSizingDisabled = true // for bulk, not for the first byte
	if !cfg.SessionTicketsDisabled {
		x.bind(cfg, upload)
	}
	return tls.Server(recordConn{conn}, cfg)
}

// bind says which data connections get tickets. SessionTicketsDisabled forbids to resume, too, so
// it is set once that has been decided. crypto/tls does not promise to look at it again later:
// TestUploadGetsNoTicket watches it.
func (x *Session) bind(cfg *tls.Config, upload bool) {
	keeps := false // the client keeps its ticket when it gets an empty one
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		keeps = slices.Contains(hello.Extensions, extensionEncryptThenMAC)
		if slices.Contains(hello.SupportedVersions, tls.VersionTLS13) && !slices.Contains(hello.Extensions, extensionPSK) {
			cfg.SessionTicketsDisabled = true // TLS 1.3 with nothing to resume
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
			// crypto/tls sends a ticket in each resumed handshake of TLS 1.2. For a new one OpenSSL drops the session
			// that it has resumed, without telling those who wait to resume it again (PHP, Ruby). With an empty one the
			// client keeps what it has (RFC 5077 section 3.3), but for crypto/tls, which takes it for a ticket.
			return nil, nil
		}
		if !state.DidResume {
			// A ticket that could be read, and yet was not resumed: anybody may have seen it pass by.
			return []byte(rand.Text()), nil
		}
		return x.base.EncryptTicket(state, session)
	}
}

// Check returns why a data connection whose handshake has succeeded is refused all the same.
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
