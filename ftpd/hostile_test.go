package ftpd_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// siege is a server under attack, and a bystander who uses it meanwhile from 127.0.0.1. Attackers come from other
// addresses, so that they may be banned.
//
// Its tests are not parallel, because they count what the process holds.
type siege struct {
	*ftptest.Server
	bystander *ftptest.Client
	content   string
}

// besiege starts the server. The attacker is alice, whose home is not the bystander's.
func besiege(t *testing.T, edits ...func(*config.Config)) *siege {
	t.Helper()
	return besiegeWith(t, ftpd.Options{}, edits...)
}

// besiegeWith is like besiege, with options of the server.
func besiegeWith(t *testing.T, options ftpd.Options, edits ...func(*config.Config)) *siege {
	t.Helper()
	s := &siege{content: strings.Repeat("The bystander's.", 5000)}
	s.Server = ftptest.StartWith(t, options, append([]func(*config.Config){func(c *config.Config) {
		c.Users[0].Home = "alice"
		c.Users = append(c.Users, ftptest.User("bystander", "bystander", config.AccessReadWrite))
	}}, edits...)...)
	s.bystander = ftptest.Login(t, s.Addr, "bystander")
	s.unharmed()
	return s
}

// unharmed makes the bystander upload a file, list it, download it and delete it.
func (s *siege) unharmed() {
	t, c := s.bystander.TB(), s.bystander
	t.Helper()
	if reply := c.Put("STOR file", s.content); reply[:3] != "226" {
		t.Errorf("the bystander's upload: %s", reply)
	}
	if got := c.Get("NLST"); got != "file\r\n" {
		t.Errorf("the bystander's listing: %q", got)
	}
	if got := c.Get("RETR file"); got != s.content {
		t.Errorf("the bystander got %d bytes, or wrong ones", len(got))
	}
	c.Must("DELE file", "250")
}

// attacker logs alice in, from an address of her own.
func (s *siege) attacker(t *testing.T) *ftptest.Client {
	t.Helper()
	c := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
	c.Talk("S: 220 *")
	c.LoginAs("alice")
	return c
}

// withstands runs an attack, which must call unharmed at least once while it is under way. When the attackers have
// gone, the server must hold no more than before.
func (s *siege) withstands(t *testing.T, attack func(t *testing.T)) {
	t.Helper()
	runtime.GC()
	// A garbage collection after this point would close leaked descriptors and hide them.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	before, goroutines := s.holds(), goleak.IgnoreCurrent()
	t.Run("attack", attack) // closes the attackers' connections
	s.unharmed()
	var after holdings
	defer func() {
		if t.Failed() {
			t.Logf("held before %+v, after %+v", before, after)
		}
	}()
	ftptest.Eventually(t, "everything is given back", func() bool {
		after = s.holds()
		return after.within(before)
	})
	// Sessions, which are counted above, may run in other goroutines than before.
	goleak.VerifyNone(t, goroutines, goleak.IgnoreAnyFunction("github.com/ftp-operator/ftp-operator/ftpd.(*session).read"))
	if temps := s.temps(t); len(temps) != 0 {
		t.Errorf("temporary files are left: %q", temps)
	}
}

// holdings are the resources that must not leak.
type holdings struct {
	sessions, transfers, reservations, splices int
	descriptors                                int // of the process
}

func (s *siege) holds() holdings {
	status := s.Status()
	return holdings{status.Sessions, status.Transfers, s.Reservations(), ftpd.Splices(), descriptors()}
}

// within reports whether nothing is held that was not held before. There may be fewer descriptors than before, if an
// earlier test had left some to be closed.
func (h holdings) within(before holdings) bool {
	fewer := h.descriptors <= before.descriptors
	h.descriptors = before.descriptors
	return fewer && h == before
}

// descriptors returns the number of the process's open descriptors, without the pipes that splice keeps for later.
func descriptors() int {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	n := 0
	for _, fd := range open {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && !strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return n
}

// temps returns the temporary files of the daemon below the root.
func (s *siege) temps(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(s.Config.Storage.Root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".ftpd-") {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
