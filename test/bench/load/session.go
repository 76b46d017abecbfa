package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// Account is the server and the account to log in with.
type Account struct {
	Server         netip.AddrPort
	User, Password string
}

// Session is a logged-in control connection, in TYPE I. Only one lane may use it.
type Session struct {
	server netip.AddrPort
	raw    *socket
	conn   io.ReadWriter // raw, or TLS over it
	secure *tls.Config   // nil: everything is in clear text

	replies
	out []byte
}

// Login connects and logs in. If secure is not nil, the control connection and all data connections use TLS.
func Login(a Account, secure *tls.Config) (*Session, error) {
	raw, err := dial(a.Server)
	if err != nil {
		return nil, err
	}
	s := &Session{server: a.Server, raw: raw, conn: raw, secure: secure}
	if err := s.login(a); err != nil {
		_ = s.raw.Close()
		return nil, fmt.Errorf("log in: %w", err)
	}
	return s, nil
}

func (s *Session) login(a Account) error {
	if err := s.expect("220"); err != nil {
		return err
	}
	if s.secure != nil {
		if err := s.Command("AUTH TLS", "234"); err != nil {
			return err
		}
		conn := tls.Client(s.raw, s.secure)
		if err := conn.Handshake(); err != nil {
			return err
		}
		s.conn = conn
	}
	if err := s.Command("USER "+a.User, "331"); err != nil {
		return err
	}
	if err := s.Command("PASS "+a.Password, "230"); err != nil {
		return err
	}
	if s.secure == nil {
		return nil
	}
	if err := s.Command("PBSZ 0", "200"); err != nil {
		return err
	}
	return s.Command("PROT P", "200")
}

// Binary sends TYPE I.
func (s *Session) Binary() error { return s.Command("TYPE I", "200") }

// Quit sends QUIT and closes the connection.
func (s *Session) Quit() error {
	err := s.Command("QUIT", "221")
	return errors.Join(err, s.raw.Close())
}

// Close closes the connection without QUIT.
func (s *Session) Close() error { return s.raw.Close() }

// Version returns the TLS version in use, or "".
func (s *Session) Version() string {
	if conn, ok := s.conn.(*tls.Conn); ok {
		return tls.VersionName(conn.ConnectionState().Version)
	}
	return ""
}

// Command sends a command and reads its reply, which must have the code.
func (s *Session) Command(command, code string) error {
	if err := s.send(command); err != nil {
		return err
	}
	if err := s.expect(code); err != nil {
		verb, _, _ := strings.Cut(command, " ")
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}

func (s *Session) send(command string) error {
	s.out = append(append(s.out[:0], command...), '\r', '\n')
	_, err := s.conn.Write(s.out)
	return err
}

// expect reads the next reply, which must have the code.
func (s *Session) expect(code string) error {
	reply, err := s.reply()
	if err != nil {
		return err
	}
	if string(reply[:3]) != code {
		return fmt.Errorf("expected %s, got %q", code, reply)
	}
	return nil
}

// reply returns the last line of the next reply. It is valid until the next call.
func (s *Session) reply() ([]byte, error) {
	for {
		if line := s.next(); line != nil {
			return line, nil
		}
		p, err := s.space()
		if err != nil {
			return nil, err
		}
		n, err := s.conn.Read(p)
		if err != nil {
			return nil, err
		}
		s.grew(n)
	}
}

// data opens a data connection by EPSV.
func (s *Session) data() (*socket, error) {
	if err := s.send("EPSV"); err != nil {
		return nil, err
	}
	line, err := s.reply()
	if err != nil {
		return nil, err
	}
	port, ok := epsvPort(line)
	if !ok {
		return nil, fmt.Errorf("EPSV: %q", line)
	}
	return dial(netip.AddrPortFrom(s.server.Addr(), port))
}
