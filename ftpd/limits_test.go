package ftpd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func TestMaxSessions(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Limits = config.Limits{MaxSessions: 3, MaxSessionsPerAddress: 2} })
	first := ftptest.Login(t, s.Addr, "alice")
	ftptest.Login(t, s.Addr, "alice")
	ftptest.Dial(t, s.Addr).Talk(`
		S: 421 Service not available: too many sessions from your address; try again later.
		S: EOF`)
	other := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
	other.Talk("S: 220 *")
	other.LoginAs("alice")
	ftptest.DialFrom(t, "127.0.0.3", s.Addr).Talk(`
		S: 421 Service not available: too many sessions; try again later.
		S: EOF`)
	first.Must("QUIT", "221")
	ftptest.Eventually(t, "the session is given back", func() bool { return s.Status().Sessions == 2 })
	ftptest.Login(t, s.Addr, "alice")
	if err := s.Edit(t, func(c *config.Config) { c.Limits = config.Limits{} }); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		ftptest.Login(t, s.Addr, "alice")
	}
}

func TestMaxSessionsPerUser(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t,
		func(c *config.Config) { c.Limits.MaxSessionsPerUser = 1 },
		func(c *config.Config) { c.Anonymous = config.Anonymous{Enabled: true, Home: "."} })
	alice := ftptest.Login(t, s.Addr, "alice")
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS secret
		S: 530 Login refused: too many sessions of this user*`)
	c.LoginAs("reader")
	alice.Talk(`
		C: USER reader
		S: 331 *
		C: PASS secret
		S: 530 *`)
	c.LoginAs("alice") // USER has logged her out
	if n := len(s.Log.Lines("event=login", "result=failed", "user=alice", "code=530", `error="too many sessions of this user"`)); n != 1 {
		t.Errorf("%d refusals were logged", n)
	}

	ftptest.Login(t, s.Addr, "anonymous")
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 *
		C: USER ftp
		S: 331 *
		C: PASS me@example.org
		S: 530 *`)
}

// If addresses are hidden they are those of nodes, so their sessions must not be limited.
func TestMaxSessionsHidden(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) {
		c.Limits.MaxSessionsPerAddress, c.Passive.PeerCheck = 1, config.PeerCheckRelaxed
	})
	for range 3 {
		ftptest.Login(t, s.Addr, "alice")
	}
}

// A slow flood of connections that do not log in must only take places from itself.
func TestSlowFlood(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, failures(1000), func(c *config.Config) { c.Limits.MaxPreLogin = 5 })
	victim := ftptest.Dial(t, s.Addr)
	victim.Talk(`S: 220 *`)
	var flood []*ftptest.Client
	for i := range 50 {
		c := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
		c.Talk("S: 220 *")
		if i%2 == 0 {
			c.Send("USER alice\r\nUSE") // half a command is no login, either
			c.Talk("S: 331 *")
		}
		flood = append(flood, c)
		if i >= 4 {
			flood[i-4].Talk(`
				S: 421 Too many clients do not log in*
				S: EOF`)
		}
	}
	ftptest.Login(t, s.Addr, "alice").Must("PWD", "257")
	victim.LoginAs("alice")
	victim.Must("QUIT", "221")
	ftptest.Eventually(t, "what was driven out is gone", func() bool { return s.Status().Sessions == 5 })
}

// Sessions that wait for the reply to a failed login must give way like others that are not logged in. The same wrong
// password, which never leads to a ban, must not keep other clients out if it is sent again and again over as many
// connections as there may be.
func TestFailureDelayGivesWay(t *testing.T) {
	t.Parallel()
	const places = 5
	for name, limit := range map[string]config.Limits{"before login": {MaxPreLogin: places}, "in all": {MaxSessions: places}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ftptest.StartWith(t, ftpd.Options{FailureDelay: time.Hour}, func(c *config.Config) { c.Limits = limit })
			var flood []*ftptest.Client
			for range places {
				c := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
				c.Send(strings.Repeat("USER x\r\nPASS w\r\n", 5))
				flood = append(flood, c)
			}
			ftptest.Eventually(t, "all wait for their reply", func() bool { return len(s.Log.Lines("event=login", "result=failed")) == places })
			for i := range places {
				ftptest.Login(t, s.Addr, "alice").Must("PWD", "257")
				if limit.MaxSessions > 0 || i == 0 {
					flood[i].Talk(`
						S: ...
						S: 421 Too many clients do not log in*
						S: EOF`)
				}
			}
		})
	}
}

// Many connections at once must all get a reply, of whatever kind, and must leave nothing behind.
func TestConnectionFlood(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) {
		c.Limits = config.Limits{MaxSessions: 20, MaxPreLogin: 10, MaxSessionsPerAddress: 10}
	})
	for i := range 200 {
		c := ftptest.DialFrom(t, fmt.Sprint("127.0.1.", i%20+1), s.Addr)
		if reply := c.Reply(); reply[:3] != "220" && reply[:3] != "421" {
			t.Fatalf("got %q", reply)
		}
		if i%3 == 0 {
			_ = c.Close()
		}
	}
	if n := s.Status().Sessions; n > 20 {
		t.Errorf("%d sessions", n)
	}
}
