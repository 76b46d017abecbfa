package ftpd_test

import (
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// A configuration of a newer version must be accepted, at start and later. Its unknown keys and values must appear in the
// status and, once for each change of it, in the log. A check must be strict.
func TestConfigurationOfANewerVersion(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	load := func(greeting, more string) {
		t.Helper()
		s.Config.Greeting = greeting
		file, err := s.Config.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		file = append(file, more...)
		if err := s.Reload(file); err != nil {
			t.Fatal(err)
		}
		if err := ftpd.Check(file); (err == nil) != (more == "") {
			t.Errorf("Check says %v", err)
		}
		if got := ftptest.Dial(t, s.Addr).Reply(); got != "220 "+greeting {
			t.Errorf("greeted by %q: the new configuration does not hold", got)
		}
		if st := s.Status(); st.ConfigHash != config.Hash(file) || st.ConfigError != "" || strings.Join(st.Ignored, " ") != strings.TrimSuffix(strings.TrimSpace(more), ": 1") {
			t.Errorf("the status is %+v", st)
		}
	}
	warnings := func() int { return len(s.Log.Lines("level=WARN", "newer version", "colour")) }
	load("one", "colour: 1\n")
	load("two", "colour: 1\n")
	if warnings() != 1 {
		t.Errorf("warned %d times of the same", warnings())
	}
	load("three", "")
	load("four", "colour: 1\n")
	if warnings() != 2 {
		t.Errorf("warned %d times, want once more", warnings())
	}
	c.Must("NOOP", "200")
}
