package ftpd_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// If a client sends a thousand guesses at once, no more of them may be verified than of a client that sends them one
// by one, whatever its address.
func TestThousandGuessesAtOnce(t *testing.T) {
	t.Parallel()
	const limit, sessions = 10, 1000
	for name, c := range map[string]struct {
		edit    func(*config.Config)
		turns   func(passed time.Duration) int // number of turns that a banned user name has had
		waiting int
	}{
		"address": {func(*config.Config) {}, func(time.Duration) int { return 0 }, 0},
		// A banned name is let through once at once, and then every ten seconds: two logins wait for that.
		"name, since addresses are hidden": {func(c *config.Config) { c.Passive.PeerCheck = config.PeerCheckRelaxed },
			func(passed time.Duration) int { return 1 + int(passed/(10*time.Second)) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ftptest.Start(t, failures(limit), c.edit, func(c *config.Config) {
				c.Limits.MaxPreLogin, c.Timeouts.Login = sessions, config.Duration(10*time.Minute)
			})
			clients := make([]*ftptest.Client, sessions)
			for i := range clients {
				clients[i] = ftptest.Dial(t, s.Addr)
				clients[i].Send("USER alice\r\n")
			}
			answered, begin := make(chan struct{}, sessions), make(chan struct{})
			for i, c := range clients {
				c.Reply()
				c.Reply()
				go func() {
					<-begin
					_, _ = fmt.Fprintf(c.TCPConn, "PASS guess %d\r\n", i)
					_, _ = c.Line()
					answered <- struct{}{}
				}()
			}
			began := time.Now()
			close(begin)
			for range sessions - c.waiting {
				<-answered
			}
			if n := len(s.Log.Lines("event=login", "result=failed", `error="login incorrect"`)); n < limit || n > limit+c.turns(time.Since(began)) {
				t.Errorf("%d of %d guesses were verified, want %d", n, sessions, limit)
			}
			if len(s.Bans()) != 1 {
				t.Errorf("banned: %v", s.Bans())
			}
		})
	}
}
