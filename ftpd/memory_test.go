package ftpd_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

const mebibyte = 1 << 20

// heavyUser returns a user whose password hash needs 64 MiB to verify, the largest amount that is allowed.
func heavyUser(name string) config.User {
	salt := []byte("0123456789abcdef")
	key := argon2.IDKey([]byte(ftptest.Password), salt, 1, 64<<10, 1, 32)
	text := base64.RawStdEncoding
	hash := fmt.Sprintf("$argon2id$v=19$m=65536,t=1,p=1$%s$%s", text.EncodeToString(salt), text.EncodeToString(key))
	return config.User{Name: name, PasswordHash: hash, Home: ".", Access: config.AccessReadWrite}
}

// ownUser returns a user whose hash was made by the daemon's tools.
func ownUser(t *testing.T, name string) config.User {
	t.Helper()
	hash, err := passhash.Hash(ftptest.Password)
	if err != nil {
		t.Fatal(err)
	}
	return config.User{Name: name, PasswordHash: hash, Home: ".", Access: config.AccessReadWrite}
}

// A flood of wrong passwords must never make hashes use more memory at one time than the limit leaves for them, and
// users with the right password must be able to log in meanwhile.
func TestHostileGuessesInLittleMemory(t *testing.T) {
	t.Parallel()
	const clients, guesses = 24, 4
	s := ftptest.StartWith(t, ftpd.Options{Resources: budget.Available{Memory: 128 * mebibyte, Processors: 4}}, noBans, func(c *config.Config) {
		c.Users = append(c.Users, heavyUser("heavy"), ownUser(t, "own"))
		c.Timeouts.Login = config.Duration(10 * time.Minute) // garbage is collected often, with that of all tests
	})
	most := s.Resources().HashMemory
	if most < 64*mebibyte || most > 100*mebibyte {
		t.Fatalf("%d MiB for hashes", most/mebibyte)
	}
	var now, peak, computed atomic.Int64
	s.VerifyBy(func(hash, password string) (bool, error) {
		n := now.Add(passhash.Memory(hash))
		defer now.Add(-passhash.Memory(hash))
		p := peak.Load()
		for n > p && !peak.CompareAndSwap(p, n) {
			p = peak.Load()
		}
		computed.Add(1)
		time.Sleep(time.Millisecond) // real hashes take seconds under the race detector
		return password == ftptest.Password, nil
	})
	var flood sync.WaitGroup
	for i := range clients {
		c := ftptest.DialFrom(t, fmt.Sprintf("127.0.3.%d", i+1), s.Addr)
		flood.Go(func() {
			c.Reply()
			for j := range guesses {
				c.Must("USER "+[]string{"heavy", "own", "nobody"}[(i+j)%3], "331")
				if reply := c.Do(fmt.Sprintf("PASS wrong %d %d", i, j)); reply[:3] != "530" && reply[:3] != "421" {
					t.Errorf("a wrong password: %s", reply)
				}
			}
		})
	}
	for _, name := range []string{"own", "heavy"} {
		c := ftptest.Login(t, s.Addr, name)
		if reply := c.Put("STOR "+name, "content"); reply[:3] != "226" {
			t.Error(reply)
		}
	}
	flood.Wait()
	if p := peak.Load(); p > most {
		t.Errorf("hashes took %d MiB at one time, of %d", p/mebibyte, most/mebibyte)
	}
	if n := computed.Load(); n < clients*guesses {
		t.Errorf("%d hashes were computed for %d guesses", n, clients*guesses)
	}
}

// A hash that can never be verified must be reported at start, with its user and the remedy, and at each login. The
// remedy must work.
func TestHashTooLargeForMemory(t *testing.T) {
	t.Parallel()
	heavy := func(c *config.Config) { c.Users = append(c.Users, heavyUser("heavy"), heavyUser("heavier")) }
	s := ftptest.StartWith(t, ftpd.Options{Resources: budget.Available{Memory: 64 * mebibyte, Processors: 4}}, heavy)
	need := budget.LimitForHash(64 * mebibyte)
	warning := fmt.Sprintf("heavy, heavier can't log in, since verifying their password hashes takes up to 64 MiB, and there are 24 MiB for hashes: "+
		"raise the memory limit (spec.template.resources.limits.memory) to at least %dMi", need/mebibyte)
	if s.Log.Lines("level=WARN", warning) == nil {
		t.Errorf("not in the log: %s", warning)
	}
	if st := s.Status().Resources; st == nil || !strings.Contains(strings.Join(st.Warnings, "\n"), warning) {
		t.Errorf("status: %+v", st)
	}
	c := ftptest.Dial(t, s.Addr)
	c.Talk("S: 220 *")
	c.Must("USER heavy", "331")
	c.Must("PASS "+ftptest.Password, "530 Login incorrect.")
	if s.Log.Lines("event=login", "user=heavy", "the password can't be verified", "raise the memory limit") == nil {
		t.Error("the login is not in the log")
	}
	ftptest.Login(t, s.Addr, "alice").Must("QUIT", "221")

	cured := ftptest.StartWith(t, ftpd.Options{Resources: budget.Available{Memory: need, Processors: 4}}, heavy)
	ftptest.Login(t, cured.Addr, "heavy").Must("QUIT", "221")
	if w := cured.Status().Resources.Warnings; len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
}

// scarceRefusals counts connections that were refused for lack of resources.
type scarceRefusals struct {
	observe.Observer
	n atomic.Int64
}

func (r *scarceRefusals) Connection(result observe.ConnectionResult) {
	if result == observe.ConnectionNoResources {
		r.n.Add(1)
	}
}

// Sessions beyond what the memory suffices for must be refused with 421 and counted, even if the configuration allows
// more. Sessions that do not log in must give way.
func TestMoreSessionsThanMemory(t *testing.T) {
	t.Parallel()
	refused := &scarceRefusals{Observer: ftpd.Unobserved}
	s := ftptest.StartWith(t, ftpd.Options{Observer: refused, Resources: budget.Available{Memory: 60 * mebibyte, Processors: 1}}, noBans, func(c *config.Config) {
		c.Limits.MaxSessions = 5000
	})
	st := s.Status().Resources
	if st.MaxSessions < 16 || st.MaxSessions > 100 || !strings.Contains(strings.Join(st.Warnings, "\n"), "limits.maxSessions of 5000 is more than the "+fmt.Sprint(st.MaxSessions)) {
		t.Fatalf("%+v", st)
	}
	for i := range 4 * st.MaxSessions {
		ftptest.DialFrom(t, fmt.Sprintf("127.0.3.%d", i%200+1), s.Addr)
	}
	for range st.MaxSessions {
		ftptest.Eventually(t, "a session that does not log in gives way", func() bool {
			c := ftptest.Dial(t, s.Addr)
			if reply := c.Reply(); reply[:3] != "220" {
				return false
			}
			c.LoginAs("alice")
			return true
		})
	}
	before := refused.n.Load()
	ftptest.Dial(t, s.Addr).Talk(`
		S: 421 Service not available: too many sessions for the server's memory; try again later.
		S: EOF`)
	if got := refused.n.Load() - before; got != 1 {
		t.Errorf("%d were counted", got)
	}
	if n := s.Status().Sessions; n > st.MaxSessions+st.MaxSessions/4+1 {
		t.Errorf("%d sessions", n)
	}
}

// If memory is short, transfers must use smaller buffers, in clear text, with TLS and for listings, and move the same
// bytes.
func TestTransfersInLittleMemory(t *testing.T) {
	s := ftptest.StartWith(t, ftpd.Options{Resources: budget.Available{Memory: 32 * mebibyte, Processors: 1}})
	t.Cleanup(func() { ftptest.StartWith(t, ftpd.Options{Resources: budget.Available{Memory: 64 << 30}}) }) // resets the limits of the buffers, which apply to the whole process
	content := strings.Repeat("0123456789abcdef", 1<<16)
	var all sync.WaitGroup
	for i := range 12 {
		c := ftptest.Login(t, s.Addr, "alice")
		all.Go(func() {
			name := fmt.Sprint("file", i)
			if reply := c.Put("STOR "+name, content); reply[:3] != "226" {
				t.Error(reply)
			}
			if c.Get("RETR "+name) != content {
				t.Errorf("client %d got other bytes", i)
			}
			if i%3 == 0 {
				c.Must("MODE Z", "200")
			}
			if list := c.Get("MLSD"); i%3 != 0 && !strings.Contains(list, name+"\r\n") {
				t.Errorf("listing of client %d: %q", i, list)
			}
		})
	}
	all.Wait()
}
