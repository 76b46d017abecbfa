package ftpd_test

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// versions lists the clients with which everything is tested.
var versions = map[string][]func(*tls.Config){
	"TLS 1.3":           nil,
	"TLS 1.2":           {authority.TLS12},
	"TLS 1.3, no reuse": {authority.NoReuse},
	"TLS 1.2, no reuse": {authority.TLS12, authority.NoReuse},
}

// The negotiation must be as in RFC 4217 sections 4, 6, 8 and 9.
func TestRFC4217Negotiation(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: FEAT
		S: 211-*
		S:  AUTH TLS
		S: ...
		S:  PBSZ
		S:  PROT
		S: ...
		S: 211 *
		C: PBSZ 0
		S: 503 *
		C: PROT P
		S: 503 *
		C: CCC
		S: 533 *
		C: AUTH
		S: 501 *
		C: AUTH KERBEROS_V4
		S: 504 *
		C: TYPE I
		S: 200 *
		C: AUTH TLS
		S: 234 *`)
	c.StartTLS(a.Client())
	c.Talk(`
		C: PWD
		S: 530 *
		C: AUTH TLS
		S: 503 *
		C: PROT P
		S: 503 *
		C: PBSZ much
		S: 501 *
		C: PBSZ 0
		S: 200 PBSZ=0
		C: PROT S
		S: 536 *
		C: PROT E
		S: 536 *
		C: PROT X
		S: 504 *
		C: PROT P
		S: 200 *
		C: PROT C
		S: 200 *
		C: CCC
		S: 534 *
		C: USER alice
		S: 331 *
		C: PASS secret
		S: 230 *
		C: STAT
		S: ...
		S:  TYPE: ASCII*
		S: ...
		S: 211 *`)
}

func TestAuthWithoutTLS(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: AUTH TLS
		S: 502 *
		C: PBSZ 0
		S: 503 *
		C: PROT P
		S: 503 *
		C: CCC
		S: 533 *`)
	if feat := features(t, c); strings.Contains(feat, "AUTH") || strings.Contains(feat, "PROT") {
		t.Errorf("FEAT without TLS: %s", feat)
	}
}

// features returns the lines of FEAT.
func features(t *testing.T, c *ftptest.Client) string {
	t.Helper()
	c.Send("FEAT\r\n")
	text := ""
	for {
		line, err := c.Line()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "211 ") {
			return text
		}
		text += line + "\n"
	}
}

// RFC 4217 section 10: what must be protected must be refused in clear text; data, at the transfer command.
func TestTLSRequired(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) { c.Login, c.Data = config.PolicyRequired, config.PolicyRequired }))
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: USER alice
		S: 530 *
		C: PASS secret
		S: 503 *
		C: AUTH SSL
		S: 234 *`)
	c.StartTLS(a.Client())
	c.LoginAs("alice")
	c.EpsvAddr()
	c.Talk(`
		C: LIST
		S: 521 *
		C: PBSZ 0
		S: 200 *
		C: PROT P
		S: 200 *`)
	c.DataTLS(a.Client())
	if got := c.Get("NLST"); got != "" {
		t.Errorf("NLST: %q", got)
	}
}

// Clear text that was sent after AUTH must not be executed as if it had come through TLS.
func TestPlaintextAfterAuthIsThrownAway(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	for name, early := range map[string]string{
		"commands": "USER alice\r\nPASS secret\r\nDELE file\r\n",
		"half":     "USER al",
		"Telnet":   "\xff\xfd\x01\xff",
	} {
		t.Run(name, func(t *testing.T) {
			s.Write(t, "file", "x")
			c := ftptest.Dial(t, s.Addr)
			c.Talk("S: 220 *")
			c.Send("AUTH TLS\r\n" + early)
			c.Talk("S: 234 *")
			c.StartTLS(a.Client())
			c.Talk(`
				C: NOOP
				S: 200 *
				C: PASS secret
				S: 503 *
				C: PWD
				S: 530 *`)
			if s.Read(t, "file") != "x" {
				t.Error("a command in clear text was executed")
			}
		})
	}
}

// A client whose handshake fails, or never begins, must be dropped.
func TestControlHandshakeFails(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) { c.MinVersion = config.TLS13 }),
		func(c *config.Config) { c.Timeouts.Handshake = config.Duration(time.Second) })
	for name, attempt := range map[string]func(*ftptest.Client){
		"clear text": func(c *ftptest.Client) { c.Send("USER alice\r\nPASS secret\r\n") },
		"silence":    func(*ftptest.Client) {},
		"too old":    func(c *ftptest.Client) { _ = tls.Client(c.TCPConn, a.Client(authority.TLS12)).Handshake() },
		"ALPN": func(c *ftptest.Client) {
			_ = tls.Client(c.TCPConn, a.Client(func(cfg *tls.Config) { cfg.NextProtos = []string{"h2"} })).Handshake()
		},
		"gone": func(c *ftptest.Client) { _ = c.CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ftptest.Dial(t, s.Addr)
			c.Talk(`
				S: 220 *
				C: AUTH TLS
				S: 234 *`)
			attempt(c)
			_ = c.SetDeadline(ftptest.Deadline(t))
			if _, err := io.Copy(io.Discard, c.TCPConn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection was not dropped")
			}
		})
	}
}

// CCC must work as in RFC 4217 section 5.
func TestRFC4217ClearControlChannel(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) {
		c.AllowCCC, c.Login, c.SessionReuse = true, config.PolicyRequired, config.SessionReuseRequire
	}))
	s.Write(t, "file", "content")
	for version, edits := range map[string][]func(*tls.Config){"TLS 1.3": nil, "TLS 1.2": {authority.TLS12}} {
		t.Run(version, func(t *testing.T) {
			c := ftptest.Dial(t, s.Addr)
			c.Talk("S: 220 *")
			c.Secure(a.Client(edits...))
			c.Talk(`
				C: CCC
				S: 534 *`)
			c.LoginAs("alice")
			if !strings.Contains(features(t, c), " CCC\n") {
				t.Error("FEAT has no CCC")
			}
			c.Talk(`
				C: CCC
				S: 200 *`)
			c.ClearText()
			c.Talk(`
				C: PWD
				S: 257 *
				C: PBSZ 0
				S: 503 *
				C: PROT C
				S: 503 *
				C: AUTH TLS
				S: 503 *
				C: CCC
				S: 533 *`)
			if got := c.Get("RETR file"); got != "content" {
				t.Errorf("got %q", got)
			}
			c.Talk(`
				C: USER alice
				S: 530 *`)
		})
	}
}

// RFC 4217 section 13: the reply to REIN must be sent within TLS, then TLS must end. It may begin again, and data
// connections need not resume the earlier session.
func TestRFC4217Rein(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) { c.SessionReuse = config.SessionReuseRequire }))
	s.Write(t, "file", "content")
	for version, edits := range map[string][]func(*tls.Config){"TLS 1.3": nil, "TLS 1.2": {authority.TLS12}} {
		t.Run(version, func(t *testing.T) {
			c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client(edits...))
			c.Talk(`
				C: REIN
				S: 220 *`)
			c.ClearText()
			c.DataTLS(nil)
			c.Talk(`
				C: PWD
				S: 530 *
				C: PROT P
				S: 503 *`)
			c.LoginAs("alice")
			if got := c.Get("RETR file"); got != "content" {
				t.Errorf("in clear text: %q", got)
			}
			c.Secure(a.Client(edits...)) // this client has no session to resume
			c.LoginAs("alice")
			if got := c.Get("RETR file"); got != "content" {
				t.Errorf("in TLS again: %q", got)
			}
		})
	}
}

// REIN during a transfer must wait for its end; AUTH and CCC must be refused.
func TestTLSCommandsDuringTransfer(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	raw := c.Data()
	c.Must("STOR one", "150")
	data := c.Protect(raw)
	c.Send("CCC\r\nNOOP\r\nREIN\r\n")
	_, _ = io.WriteString(data, "content")
	_ = data.Close()
	c.Talk(`
		S: 226 *
		S: 5*
		S: 200 *
		S: 220 *`)
	c.ClearText()
	c.DataTLS(nil)
	c.LoginAs("alice")
	raw = c.Data()
	c.Must("STOR two", "150")
	c.Send("AUTH TLS\r\nREIN\r\nSTAT\r\nABOR\r\n")
	c.Talk(`
		S: 426 *
		S: 226 *
		S: 503 *
		S: 220 *
		S: 530 *`)
	_ = raw.Close()
	if s.Read(t, "one") != "content" {
		t.Errorf("stored: %q", s.Files(t))
	}
}
