package ftpd_test

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// Implicit TLS must begin and end with the connection, and protect data from the start.
func TestImplicitTLS(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) {
		c.Login, c.Data, c.AllowCCC = config.PolicyRequired, config.PolicyRequired, true
	}))
	s.Write(t, "file", "content")
	addr := s.ServeTLS(t)
	for version, edits := range versions {
		t.Run(version, func(t *testing.T) {
			c := ftptest.Dial(t, addr)
			cfg := a.Client(edits...)
			c.StartTLS(cfg)
			c.Talk("S: 220 *")
			c.DataTLS(cfg)
			c.LoginAs("alice")
			if got := c.Get("RETR file"); got != "content" {
				t.Errorf("got %q", got)
			}
			c.Talk(`
				C: AUTH TLS
				S: 503 *
				C: PBSZ 0
				S: 200 *
				C: PROT P
				S: 200 *
				C: REIN
				S: 220 *
				C: PWD
				S: 530 *`)
			c.LoginAs("alice")
			if got := c.Get("RETR file"); got != "content" {
				t.Errorf("after REIN: %q", got)
			}
			c.Talk(`
				C: QUIT
				S: 221 *
				S: EOF`)
		})
	}
	handshakesWithin(t, s, time.Second)
	silent := ftptest.Dial(t, addr)
	if n, err := io.Copy(io.Discard, silent.TCPConn); n > 0 || err != nil {
		t.Errorf("without a handshake got %d bytes, %v", n, err)
	}
}

// Client certificates must work on both connections (RFC 4217 section 15.1.2).
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	one, two := pair(t, a.Issue("one", authority.Tomorrow(), "one")), pair(t, a.Issue("two", authority.Tomorrow(), "two"))
	stranger := pair(t, authority.New(t).Issue("x", authority.Tomorrow(), "x"))
	show := func(cert tls.Certificate) func(*tls.Config) {
		return func(cfg *tls.Config) { cfg.Certificates = []tls.Certificate{cert} }
	}
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) {
		c.ClientAuth = config.ClientAuth{Mode: config.ClientAuthRequired, CAFile: a.File}
	}))
	s.Write(t, "file", "content")
	for _, version := range []string{"TLS 1.2", "TLS 1.3"} {
		edits := versions[version]
		c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client(append(edits, show(one))...))
		if got := c.Get("RETR file"); got != "content" {
			t.Errorf("%s, resumed: %q", version, got)
		}
		c.DataTLS(a.Client(append(edits, show(one), authority.NoReuse)...))
		if got := c.Get("RETR file"); got != "content" {
			t.Errorf("%s, the same certificate: %q", version, got)
		}
		raw := c.Data()
		c.Must("RETR file", "150")
		c.DataTLS(a.Client(append(edits, show(two))...))
		_ = c.Protect(raw)
		if reply := c.Reply(); !strings.HasPrefix(reply, "522 The certificate") {
			t.Errorf("%s, another certificate: %q", version, reply)
		}
		for what, more := range map[string][]func(*tls.Config){"none": nil, "a stranger's": {show(stranger)}} {
			c := ftptest.Dial(t, s.Addr)
			c.Talk(`
				S: 220 *
				C: AUTH TLS
				S: 234 *`)
			conn := tls.Client(c.TCPConn, a.Client(append(edits, more...)...))
			_ = conn.SetDeadline(ftptest.Deadline(t))
			_, _ = io.WriteString(conn, "NOOP\r\n")
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: let in with %s", version, what)
			}
		}
	}
}

func pair(t *testing.T, c config.Certificate) tls.Certificate {
	t.Helper()
	p, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A replaced certificate must be used for the next session; open sessions must continue.
func TestCertificateReplaced(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	s.Write(t, "file", "content")
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	if st := s.Status(); st.CertificateNotAfter == nil || time.Until(*st.CertificateNotAfter) < time.Hour || st.CertificateError != "" {
		t.Errorf("status: %+v", st)
	}
	a.Issue("server", authority.Tomorrow(), "ftp.example.com", "new.example.com")
	ftptest.Eventually(t, "the new certificate serves", func() bool {
		c := ftptest.Dial(t, s.Addr)
		c.Talk(`
			S: 220 *
			C: AUTH TLS
			S: 234 *`)
		names := c.StartTLS(a.Client()).ConnectionState().PeerCertificates[0].DNSNames
		_ = c.Close()
		return len(names) == 2
	})
	if got := c.Get("RETR file"); got != "content" {
		t.Errorf("the session of before: %q", got)
	}
	c.DataTLS(a.Client(authority.NoReuse))
	if got := c.Get("RETR file"); got != "content" {
		t.Errorf("the session of before, not resumed: %q", got)
	}
}
