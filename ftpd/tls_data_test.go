package ftpd_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// Every kind of transfer must work with every kind of client, passive and active.
func TestTransfersWithTLS(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(), func(c *config.Config) { c.Active.Enabled = true })
	content := strings.Repeat("0123456789abcdef", 1<<16)
	for name, edits := range versions {
		t.Run(name, func(t *testing.T) {
			c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client(edits...))
			if reply := c.Put("STOR up", content); reply[:3] != "226" {
				t.Fatal(reply)
			}
			if s.Read(t, "up") != content {
				t.Error("the upload differs")
			}
			if c.Get("RETR up") != content {
				t.Error("the download differs")
			}
			c.Must("REST 1048570", "350")
			if got := c.Get("RETR up"); got != "abcdef" {
				t.Errorf("after REST: %q", got)
			}
			if reply := c.Put("APPE up", "more"); reply[:3] != "226" {
				t.Fatal(reply)
			}
			if got := c.Get("MLSD"); !strings.Contains(got, "size=1048580;") {
				t.Errorf("MLSD: %q", got)
			}
			c.Must("TYPE A", "200")
			if got := c.Get("NLST"); got != "up\r\n" {
				t.Errorf("NLST: %q", got)
			}
			c.Must("PROT C", "200")
			c.DataTLS(nil)
			if got := c.Get("NLST"); got != "up\r\n" {
				t.Errorf("NLST in clear text: %q", got)
			}
		})
	}
}

// RFC 4217 section 7: the client must be the client of TLS, too, although the server connects.
func TestActiveModeWithTLS(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(), func(c *config.Config) { c.Active.Enabled = true })
	s.Write(t, "file", "content")
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c.Must(fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port(l)), "200")
	c.Must("RETR file", "150")
	_ = l.SetDeadline(ftptest.Deadline(t))
	raw, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	data := c.Protect(raw)
	got, err := io.ReadAll(data)
	_ = data.Close()
	if string(got) != "content" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if reply := c.Reply(); reply[:3] != "226" {
		t.Error(reply)
	}
}

// A data connection whose handshake fails must get 522 after the 150; the session must continue.
func TestDataHandshakeFails(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	s.Write(t, "file", "content")
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	handshakesWithin(t, s, time.Second)
	for name, attempt := range map[string]func(net.Conn){
		"clear text": func(data net.Conn) { _, _ = io.WriteString(data, "this is not TLS at all") },
		"silence":    func(net.Conn) {},
		"slow":       func(data net.Conn) { _, _ = data.Write([]byte{22}) },
		"gone":       func(data net.Conn) { _ = data.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			data := c.Data()
			c.Must("STOR new", "150")
			attempt(data)
			if reply := c.Reply(); reply[:3] != "522" {
				t.Error(reply)
			}
			if s.Read(t, "new") != "(absent)" || len(s.Files(t)) != 1 {
				t.Errorf("stored: %q", s.Files(t))
			}
		})
	}
	handshakesWithin(t, s, time.Minute)
	if got := c.Get("RETR file"); got != "content" {
		t.Errorf("after that: %q", got)
	}
}

// handshakesWithin sets the longest time for TLS handshakes that begin from now on.
func handshakesWithin(t *testing.T, s *ftptest.Server, limit time.Duration) {
	t.Helper()
	if err := s.Edit(t, func(c *config.Config) { c.Timeouts.Handshake = config.Duration(limit) }); err != nil {
		t.Fatal(err)
	}
}

// RFC 4217 section 12, RFC 8446 section 6.1: an upload that ends without close_notify must not count as complete,
// because it may have been cut off.
func TestTruncatedUpload(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	for name, tt := range map[string]struct {
		allow       bool
		reply, file string
	}{
		"strict":  {false, "426", "old"},
		"lenient": {true, "226", "new"},
	} {
		s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) { c.AllowTruncation = tt.allow }))
		for version, edits := range versions {
			t.Run(name+" "+version, func(t *testing.T) {
				s.Write(t, "file", "old")
				c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client(edits...))
				raw := c.Data()
				c.Must("STOR file", "150")
				_, _ = io.WriteString(c.Protect(raw), "new")
				_ = raw.CloseWrite()
				if reply := c.Reply(); reply[:3] != tt.reply {
					t.Error(reply)
				}
				if got := s.Read(t, "file"); got != tt.file || len(s.Files(t)) != 1 {
					t.Errorf("the file is %q among %q", got, s.Files(t))
				}
			})
		}
	}
}

// strictEnd is a connection whose end is an error, so that only close_notify ends the data.
type strictEnd struct{ *net.TCPConn }

var errCut = errors.New("ended without close_notify")

func (c strictEnd) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if errors.Is(err, io.EOF) {
		err = errCut
	}
	return n, err
}

// Downloads must end with close_notify, and aborted ones without.
func TestDownloadEndsWithCloseNotify(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	s.Write(t, "file", "content")
	s.Write(t, "big", strings.Repeat("0123456789abcdef", 2<<20))
	for version, edits := range versions {
		t.Run(version, func(t *testing.T) {
			cfg := a.Client(edits...)
			c := ftptest.LoginTLS(t, s.Addr, "alice", cfg)
			raw := c.Data()
			c.Must("RETR file", "150")
			data := tls.Client(strictEnd{raw}, cfg)
			if got, err := io.ReadAll(data); string(got) != "content" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			_ = data.Close()
			if reply := c.Reply(); reply[:3] != "226" {
				t.Error(reply)
			}

			raw = c.Data()
			c.Must("RETR big", "150")
			data = tls.Client(strictEnd{raw}, cfg)
			if _, err := io.ReadFull(data, make([]byte, 16)); err != nil {
				t.Fatal(err)
			}
			c.Talk(`
				C: STAT
				S: 211-*
				S: ...
				S:  RETR /big: * of 33554432 bytes in *
				S: 211 *`)
			c.Send("\xff\xf4\xff\xf2ABOR\r\n") // Telnet IP and Synch, all within TLS (section 14)
			c.Talk(`
				S: 426 *
				S: 226 *
				C: NOOP
				S: 200 *`)
			if n, err := io.Copy(io.Discard, data); err == nil {
				t.Errorf("the aborted download ended in an orderly way after %d bytes", n)
			}
		})
	}
}

// A client that does not close its side must delay the 226 only for a moment, and lose nothing.
func TestDownloadClientKeepsDataOpen(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	s.Write(t, "file", "content")
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	raw := c.Data()
	c.Must("RETR file", "150")
	data := c.Protect(raw)
	if reply := c.Reply(); reply[:3] != "226" {
		t.Error(reply)
	}
	if got, err := io.ReadAll(data); string(got) != "content" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestQuitDuringTLSUpload(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	raw := c.Data()
	c.Must("STOR file", "150")
	data := c.Protect(raw)
	c.Send("QUIT\r\n")
	_, _ = io.WriteString(data, "content")
	_ = data.Close()
	c.Talk(`
		S: 226 *
		S: 221 *
		S: EOF`)
	if got := s.Read(t, "file"); got != "content" {
		t.Errorf("stored %q", got)
	}
}

// A data connection with TLS that moves nothing must be given up, in either direction.
func TestStalledTLS(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(), func(c *config.Config) { c.Timeouts.Data = config.Duration(time.Second) })
	s.Write(t, "big", strings.Repeat("0123456789abcdef", 2<<20))
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	for _, command := range []string{"STOR new", "RETR big"} {
		raw := c.Data()
		c.Must(command, "150")
		data := c.Protect(raw)
		if reply := c.Reply(); !strings.HasPrefix(reply, "426 ") || !strings.Contains(reply, "stood still") {
			t.Errorf("%s: %q", command, reply)
		}
		_ = data.Close()
	}
	if s.Read(t, "new") != "(absent)" {
		t.Error("the upload was stored")
	}
}

// RFC 4217 section 9: the transfer must use the PROT in force then, whatever it was when the port was agreed upon.
func TestProtAfterPassive(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	s.Write(t, "file", "content")
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	c.Must("PROT C", "200")
	raw := c.Data()
	c.Must("PROT P", "200")
	c.Must("RETR file", "150")
	data := c.Protect(raw)
	got, err := io.ReadAll(data)
	if string(got) != "content" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_ = data.Close()
	if reply := c.Reply(); reply[:3] != "226" {
		t.Error(reply)
	}
}
