package ftpd_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// versions are the clients that everything is tried with.
var versions = map[string][]func(*tls.Config){
	"TLS 1.3":           nil,
	"TLS 1.2":           {authority.TLS12},
	"TLS 1.3, no reuse": {authority.NoReuse},
	"TLS 1.2, no reuse": {authority.TLS12, authority.NoReuse},
}

// RFC 4217 sections 4, 6, 8 and 9.
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

// features returns FEAT's lines.
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

// Every kind of transfer, with every kind of client, passive and active.
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

// RFC 4217 section 7: the client is TLS's client although the server dials.
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
	_ = l.SetDeadline(time.Now().Add(10 * time.Second))
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

// RFC 4217 section 10: what must be protected is refused, the data at the transfer command.
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

// What was sent in clear text after AUTH is not executed as if it had come through TLS.
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

// A client whose handshake fails, or never comes, is dropped.
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
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.Copy(io.Discard, c.TCPConn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection was not dropped")
			}
		})
	}
}

// A data connection whose handshake fails is a 522 after the 150; the session goes on.
func TestDataHandshakeFails(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(), func(c *config.Config) { c.Timeouts.Handshake = config.Duration(time.Second) })
	s.Write(t, "file", "content")
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
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
	if got := c.Get("RETR file"); got != "content" {
		t.Errorf("after that: %q", got)
	}
}

// Data connections must resume their own control connection's session where that is required.
func TestSessionReuseRequired(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) { c.SessionReuse = config.SessionReuseRequire }))
	s.Write(t, "file", "content")
	for _, version := range []string{"TLS 1.2", "TLS 1.3"} {
		t.Run(version, func(t *testing.T) {
			own := a.Client(versions[version]...)
			c := ftptest.LoginTLS(t, s.Addr, "alice", own)
			other := a.Client(versions[version]...)
			_ = ftptest.LoginTLS(t, s.Addr, "alice", other)
			for range 3 {
				if got := c.Get("RETR file"); got != "content" {
					t.Errorf("resumed: %q", got)
				}
				if reply := c.Put("STOR up", "new"); reply[:3] != "226" {
					t.Errorf("resumed: %q", reply)
				}
			}
			for what, cfg := range map[string]*tls.Config{
				"no ticket":           a.Client(append(versions[version], authority.NoReuse)...),
				"a stranger's ticket": other,
			} {
				for _, command := range []string{"RETR file", "STOR new"} {
					raw := c.Data()
					c.Must(command, "150")
					c.DataTLS(cfg)
					data := c.Protect(raw)
					if reply := c.Reply(); !strings.HasPrefix(reply, "522 The TLS session of the control connection") {
						t.Errorf("%s with %s: %q", command, what, reply)
					}
					_ = data.Close()
				}
			}
			c.DataTLS(own)
			if got := c.Get("RETR file"); got != "content" {
				t.Errorf("after that: %q", got)
			}
		})
	}
	if s.Read(t, "new") != "(absent)" {
		t.Error("an upload of a stranger was stored")
	}
}

// tickets counts the tickets a client gets.
type tickets struct {
	tls.ClientSessionCache
	got int
}

func (c *tickets) Put(key string, state *tls.ClientSessionState) {
	if state != nil {
		c.got++
	}
	c.ClientSessionCache.Put(key, state)
}

// An upload gets no ticket, which its client might leave unread: a reset would follow, and the
// upload's end would be lost. Neither does a data connection that did not resume: it may be a
// stranger's. This watches what crypto/tls does not promise.
func TestUploadGetsNoTicket(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	for _, mode := range []config.SessionReuse{config.SessionReusePrefer, config.SessionReuseOff} {
		s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) { c.SessionReuse = mode }))
		s.Write(t, "file", "content")
		for version, edits := range map[string][]func(*tls.Config){"TLS 1.3": nil, "TLS 1.2": {authority.TLS12}} {
			for _, own := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s %s, own ticket %v", mode, version, own), func(t *testing.T) {
					cache := &tickets{ClientSessionCache: tls.NewLRUClientSessionCache(8)}
					cfg := a.Client(append(edits, func(cfg *tls.Config) { cfg.ClientSessionCache = cache })...)
					c := ftptest.LoginTLS(t, s.Addr, "alice", cfg)
					resumes := own && mode != config.SessionReuseOff
					c.Must("NOOP", "200") // reads the control connection's ticket
					if !own {
						cache.ClientSessionCache = tls.NewLRUClientSessionCache(8)
					}

					cache.got = 0
					raw := c.Data()
					c.Must("STOR up", "150")
					data := c.Protect(raw).(*tls.Conn)
					_, _ = io.WriteString(data, "content")
					if err := data.CloseWrite(); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadAll(data); err != nil { // takes tickets, if there are any
						t.Fatal(err)
					}
					if got := data.ConnectionState().DidResume; got != resumes {
						t.Errorf("the upload resumed: %v", got)
					}
					if reply := c.Reply(); reply[:3] != "226" {
						t.Error(reply)
					}
					// In TLS 1.2 a ticket is a part of the handshake, and never unread.
					if want := resumes && version == "TLS 1.2"; (cache.got > 0) != want {
						t.Errorf("the upload brought %d tickets", cache.got)
					}

					cache.got = 0
					c.Get("RETR file")
					if (cache.got > 0) != resumes {
						t.Errorf("the download brought %d tickets", cache.got)
					}
				})
			}
		}
	}
}

// RFC 4217 section 12, RFC 8446 section 6.1: an upload that ends without close_notify may have been cut off.
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

// strictEnd is a connection whose end is an error, so that only close_notify is an end.
type strictEnd struct{ *net.TCPConn }

var errCut = errors.New("ended without close_notify")

func (c strictEnd) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if errors.Is(err, io.EOF) {
		err = errCut
	}
	return n, err
}

// Downloads end with close_notify, and aborted ones without.
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

// A client that does not close its side holds up the 226 for a moment only, and loses nothing.
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

// RFC 4217 section 5.
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

// RFC 4217 section 13: the reply is sent within TLS, then TLS ends; it may begin again, and no
// session of before is asked for.
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
			c.Secure(a.Client(edits...)) // knows no session
			c.LoginAs("alice")
			if got := c.Get("RETR file"); got != "content" {
				t.Errorf("in TLS again: %q", got)
			}
		})
	}
}

// REIN, AUTH and CCC while a transfer runs: REIN waits for its end, the others can't.
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

// Implicit TLS begins with the connection, ends with it, and protects data from the start.
func TestImplicitTLS(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) {
		c.Login, c.Data, c.AllowCCC = config.PolicyRequired, config.PolicyRequired, true
	}), func(c *config.Config) { c.Timeouts.Handshake = config.Duration(time.Second) })
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
	silent := ftptest.Dial(t, addr)
	if n, err := io.Copy(io.Discard, silent.TCPConn); n > 0 || err != nil {
		t.Errorf("without a handshake got %d bytes, %v", n, err)
	}
}

// Certificates of clients, on both connections (RFC 4217 section 15.1.2).
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
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
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

// A certificate that is replaced is seen by the next session; one that runs goes on.
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

// RFC 7151 section 3.
func TestRFC7151Host(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) {
		c.Certificates = append(c.Certificates, a.Issue("other", authority.Tomorrow(), "other.example.com"))
	}), func(c *config.Config) { c.Hosts = []string{"ftp.example.com", "*.example.net", "other.example.com"} })
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: HOST
		S: 501 *
		C: HOST ftp.example.com:2112
		S: 501 *
		C: HOST 127.0.0.1:2112
		S: 501 *
		C: HOST [2001:db8::c000:201]:2112
		S: 501 *
		C: HOST not a host
		S: 501 *
		C: HOST unknown.example.com
		S: 504 *
		C: HOST 192.0.2.1
		S: 504 *
		C: HOST [2001:db8::c000:201]
		S: 504 *
		C: HOST 127.0.0.1
		S: 220 *
		C: hOsT Any.Example.Net
		S: 220 *
		C: HOST FTP.example.com
		S: 220 *`)
	c.LoginAs("alice")
	c.Talk(`
		C: HOST ftp.example.com
		S: 503 *
		C: REIN
		S: 220 *
		C: HOST ftp.example.com
		S: 220 *`)

	// Without a server name, HOST chooses the certificate.
	c.Must("HOST other.example.com", "220")
	c.Must("AUTH TLS", "234")
	state := c.StartTLS(a.Client(func(cfg *tls.Config) {
		cfg.ServerName, cfg.InsecureSkipVerify = "", true //nolint:gosec // a test
	})).ConnectionState()
	if name := state.PeerCertificates[0].DNSNames[0]; name != "other.example.com" {
		t.Errorf("after HOST other.example.com the certificate is %s", name)
	}

	// With one, both must be the same, in either order.
	c = ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: AUTH TLS
		S: 234 *`)
	c.StartTLS(a.Client())
	c.Talk(`
		C: HOST other.example.com
		S: 504 *
		C: HOST ftp.example.com
		S: 220 *`)
	c = ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: HOST other.example.com
		S: 220 *
		C: AUTH TLS
		S: 234 *`)
	c.StartTLS(a.Client())
	c.Talk(`
		S: 421 *
		S: EOF`)
}

// A data connection with TLS that stands still is given up, in either direction.
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

// RFC 4217 section 9: PROT holds for the transfer, whatever it was when the port was agreed upon.
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
