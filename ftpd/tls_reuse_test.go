package ftpd_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// Where that is required, data connections must resume the TLS session of their own control connection.
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

// tickets counts the session tickets that a client receives.
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

// An upload must send no ticket: its client might not read it, a reset would follow, and the end of the upload would
// be lost. Neither must a data connection that did not resume, which may be a stranger's. This test watches behaviour
// that crypto/tls does not promise.
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
					if _, err := io.ReadAll(data); err != nil { // receives tickets, if there are any
						t.Fatal(err)
					}
					if got := data.ConnectionState().DidResume; got != resumes {
						t.Errorf("the upload resumed: %v", got)
					}
					if reply := c.Reply(); reply[:3] != "226" {
						t.Error(reply)
					}
					// In TLS 1.2 a ticket is a part of the handshake, so it is always read.
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
