package ftpd_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// failures makes a ban begin after so many failed logins.
func failures(n int) func(*config.Config) {
	return func(c *config.Config) { c.Bans.Failures = n }
}

func TestBan(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, failures(3))
	before := ftptest.Login(t, s.Addr, "alice")
	waiting := ftptest.Dial(t, s.Addr)
	waiting.Talk(`
		S: 220 *
		C: USER alice
		S: 331 *`)
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS wrong
		S: 530 Login incorrect.
		C: USER alice
		S: 331 *
		C: PASS false
		S: 530 *
		C: USER nobody
		S: 331 *
		C: PASS wrong
		S: 421 Too many failed logins*
		S: EOF`)
	ftptest.Dial(t, s.Addr).Talk(`
		S: 421 Service not available: your address is banned for a while; try again later.
		S: EOF`)
	waiting.Talk(`
		C: PASS secret
		S: 421 *
		S: EOF`)
	before.Must("PWD", "257") // this session was admitted before the ban
	before.Talk(`
		C: EPSV
		S: 421 *
		S: EOF`)
	other := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
	other.Talk("S: 220 *")
	other.LoginAs("alice")

	who := bans.Address(netip.MustParseAddr("127.0.0.1"))
	if list := s.Bans(); len(list) != 1 || list[0].Subject != who || list[0].Reason != bans.FailedLogin {
		t.Errorf("%+v", list)
	}
	if lines := s.Log.Lines("event=ban", "subject=127.0.0.1/32", `reason="failed logins"`, "count=1", "duration=5m0s"); len(lines) != 1 {
		t.Errorf("%d bans were logged", len(lines))
	}
	if !s.Unban(who) {
		t.Error("there was no ban to lift")
	}
	ftptest.Login(t, s.Addr, "alice").Must("PWD", "257")
}

func TestBansAreReloaded(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, failures(1))
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS wrong
		S: 421 *
		S: EOF`)
	ftptest.Dial(t, s.Addr).Talk(`S: 421 *`)
	if err := s.Edit(t, func(c *config.Config) { c.Bans.Allow = config.Networks(netip.MustParsePrefix("127.0.0.0/8")) }); err != nil {
		t.Fatal(err)
	}
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS wrong
		S: 530 *`)
	c.LoginAs("alice")
}

// A device with an old password must not lock out other clients with the same address, however long it goes on; each
// of its sessions must still end.
func TestRepeatedLoginIsNoGuess(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, failures(3))
	for range 4 {
		scanner := ftptest.Dial(t, s.Addr)
		scanner.Talk("S: 220 *")
		for range 4 {
			scanner.Must("USER scanner", "331")
			scanner.Must("PASS old", "530")
		}
		scanner.Must("USER scanner", "331")
		scanner.Must("PASS old", "421 Too many failed logins")
		scanner.Talk("S: EOF")
	}
	c := ftptest.Dial(t, s.Addr)
	c.Talk("S: 220 *")
	c.Must("USER alice", "331")
	c.Must("PASS typo", "530")
	c.LoginAs("alice")
	if list := s.Bans(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if n := len(s.Log.Lines("event=login", "result=failed", "user=scanner")); n != 20 {
		t.Errorf("%d failures were logged, want 20", n)
	}
}

// Where all clients share the addresses of nodes, the user name must be banned; the user must still be able to log
// in, in turn.
func TestBanHidden(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, failures(2), func(c *config.Config) { c.Passive.PeerCheck = config.PeerCheckRelaxed })
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS wrong
		S: 530 *
		C: USER alice
		S: 331 *
		C: PASS false
		S: 530 *`)
	c.LoginAs("reader") // from the same address, in the same session
	if list := s.Bans(); len(list) != 1 || list[0].Subject != bans.User("alice") {
		t.Errorf("%+v", list)
	}
	ftptest.Login(t, s.Addr, "alice").Must("PWD", "257") // the first turn
	// Of three more logins, two wait for their turns.
	replies := make(chan string)
	var waiting []*ftptest.Client
	for range 3 {
		c := ftptest.Dial(t, s.Addr)
		c.Talk(`
			S: 220 *
			C: USER alice
			S: 331 *
			C: PASS secret`)
		waiting = append(waiting, c)
		go func() {
			line, _ := c.Line()
			replies <- line
		}()
	}
	if got := <-replies; got != "530 Too many failed logins of this user; try again later." {
		t.Errorf("got %q", got)
	}
	if n := len(s.Log.Lines("event=login", "result=ok", "user=alice")); n != 1 {
		t.Errorf("%d logins got through at once, want 1", n)
	}
	s.Unban(bans.User("alice"))
	ftptest.Login(t, s.Addr, "alice").Must("PWD", "257")
	for _, c := range waiting {
		_ = c.Close()
	}
	for range 2 {
		<-replies
	}
}

// Each kind of abuse must end in a ban, with the session's next reply; where addresses are hidden, only the session
// must end.
func TestAbuse(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		command string
		most    int    // the number at which the client has reached the limit
		login   bool   // must be done after login
		reason  string // of the ban
	}{
		"unknown commands": {"GIBBERISH", 20, false, "unknown commands"},
		"long lines":       {"NOOP " + strings.Repeat("x", 5000), 2, false, "too long command lines"},
		"bounces":          {"PORT 192,0,2,1,4,1", 2, true, "attempts to bounce"},
		"privileged ports": {"EPRT |1|127.0.0.1|22|", 2, true, "attempts to bounce"},
		"EPSV":             {"EPSV", 20, true, "unused passive ports"},
		"PASV":             {"PASV", 20, true, "unused passive ports"},
	} {
		for _, hidden := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, hidden %v", name, hidden), func(t *testing.T) {
				t.Parallel()
				s := ftptest.Start(t, failures(1), activeEnabled, func(c *config.Config) {
					if hidden {
						c.Passive.PeerCheck = config.PeerCheckRelaxed
					}
				})
				c := ftptest.Dial(t, s.Addr)
				c.Talk("S: 220 *")
				if x.login {
					c.LoginAs("alice")
				}
				n := 0
				for ; !strings.HasPrefix(c.Do(x.command), "421"); n++ {
					if n > x.most {
						t.Fatalf("%d were taken", n)
					}
					if n+1 == x.most && x.reason != "unused passive ports" { // for that reason the 421 is the reply to the command itself
						c.Talk("S: 421 *")
						break
					}
				}
				c.Talk("S: EOF")
				if hidden {
					ftptest.Login(t, s.Addr, "alice").Must("PWD", "257")
					return
				}
				ftptest.Dial(t, s.Addr).Talk(`S: 421 *banned*`)
				if list := s.Bans(); len(list) != 1 || list[0].Reason.String() != x.reason {
					t.Errorf("%+v", list)
				}
			})
		}
	}
}

// The commands of ordinary clients must never count as abuse, however often they are sent.
func TestNoAbuse(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, failures(1))
	s.Write(t, "file", "x")
	for range 20 {
		c := ftptest.Login(t, s.Addr, "alice")
		for range 5 {
			c.Must("XNONE file", "500")
			c.EpsvAddr()
			c.PasvAddr()
			c.Must("RETR absent", "550")
			if got := c.Get("RETR file"); got != "x" {
				t.Errorf("got %q", got)
			}
		}
		c.Must("QUIT", "221")
	}
	if list := s.Bans(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// The odd input of old devices must neither end the session of a logged-in user nor cause a ban.
func TestOldDevices(t *testing.T) {
	t.Parallel()
	for _, hidden := range []bool{false, true} {
		s := ftptest.Start(t, failures(1), func(c *config.Config) {
			if hidden {
				c.Passive.PeerCheck = config.PeerCheckRelaxed
			}
		})
		c := ftptest.Login(t, s.Addr, "alice")
		for range 100 {
			c.Send("\r\n\r\r\n\n\x00\r\n") // between commands: no reply
			c.Must("XNONE", "500")         // this must be the next reply
			c.Must("GIBBERISH gibberish", "500")
			c.Send("\xf4\xf2XWHO\r\r\n")
			c.Talk(`S: 500 *`)
			c.Must("NOOP "+strings.Repeat("x", 5000), "500")
			c.Send("noop\r\x00\r\n\x00")
			c.Talk(`S: 200 *`)
		}
		if list := s.Bans(); len(list) != 0 {
			t.Errorf("hidden %v: %+v", hidden, list)
		}
	}
}

// Empty lines must not keep an idle session open.
func TestEmptyLinesAreIdle(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Timeouts.Idle = config.Duration(10 * time.Second) })
	c := ftptest.Login(t, s.Addr, "alice")
	ended := make(chan struct{})
	defer func() { <-ended }()
	go func() {
		defer close(ended)
		for {
			if _, err := c.Write([]byte("\r\n")); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	c.Talk(`
		S: 421 Idle *
		S: EOF`)
}

// Sessions in which no user logs in must count as abuse, too.
func TestNoLoginIsAbuse(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, failures(1), func(c *config.Config) { c.Timeouts.Login = config.Duration(2 * time.Second) })
	var idle []*ftptest.Client
	for range 5 {
		idle = append(idle, ftptest.DialFrom(t, "127.0.0.2", s.Addr))
	}
	for _, c := range idle {
		c.Talk(`
			S: 220 *
			S: 421 *
			S: EOF`)
	}
	ftptest.DialFrom(t, "127.0.0.2", s.Addr).Talk(`S: 421 *banned*`)
	if err := s.Edit(t, func(c *config.Config) { c.Timeouts.Login = config.Duration(time.Minute) }); err != nil {
		t.Fatal(err)
	}
	ftptest.Login(t, s.Addr, "alice")
}

// A crowd of clients that begin TLS and never continue must be banned; other clients must not be disturbed.
func TestSlowHandshakeFlood(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(), failures(1), func(c *config.Config) { c.Timeouts.Handshake = config.Duration(8 * time.Second) })
	var slow []*ftptest.Client
	for range 5 {
		c := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
		c.Talk(`
			S: 220 *
			C: AUTH TLS
			S: 234 *`)
		c.Send("\x16\x03\x01") // the beginning of a ClientHello
		slow = append(slow, c)
	}
	ftptest.LoginTLS(t, s.Addr, "alice", a.Client()).Must("PWD", "257")
	for _, c := range slow {
		c.Talk("S: EOF")
	}
	ftptest.DialFrom(t, "127.0.0.2", s.Addr).Talk("S: 421 *banned*")
	ftptest.LoginTLS(t, s.Addr, "alice", a.Client()).Must("PWD", "257")
}
