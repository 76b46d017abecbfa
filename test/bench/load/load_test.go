package load

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// A thread that waits keeps its processor of the scheduler; see the package comment. The servers are in this process, too.
func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(64)
	os.Exit(m.Run())
}

// session starts a server and logs in to it.
func session(t *testing.T, secure bool) (*ftptest.Server, *Session) {
	t.Helper()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	var cfg *tls.Config
	if secure {
		cfg = a.Client()
	}
	c, err := Login(Account{Server: netip.MustParseAddrPort(s.Addr), User: "alice", Password: ftptest.Password}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Quit(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Binary(); err != nil {
		t.Fatal(err)
	}
	if (c.Version() != "") != secure {
		t.Errorf("TLS: %q", c.Version())
	}
	return s, c
}

func TestTransfers(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := session(t, secure)
			content := strings.Repeat("0123456789abcdef", 200_000)
			if err := c.StoreBytes("bytes", []byte(content)); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(filepath.Join(s.Root, "bytes"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close() //nolint:errcheck // it was only read
			if err := c.StoreFile("file", f, int64(len(content)-7)); err != nil {
				t.Fatal(err)
			}
			if s.Read(t, "bytes") != content || s.Read(t, "file") != content[:len(content)-7] {
				t.Error("what was stored is not what was sent")
			}
			got, err := c.Read("RETR bytes")
			if err != nil || !bytes.Equal(got, []byte(content)) {
				t.Errorf("%d bytes came: %v", len(got), err)
			}
			if err := c.Fetch("RETR bytes", int64(len(content))); err != nil {
				t.Error(err)
			}
			if err := c.Fetch("RETR bytes", int64(2*len(content))); err == nil {
				t.Error("less than there should be was taken for enough")
			}
			if err := c.Fetch("RETR absent", 1); err == nil || !strings.Contains(err.Error(), "550") {
				t.Errorf("of a file that is not there: %v", err)
			}
			if err := c.Command("NOOP", "200"); err != nil {
				t.Errorf("the session has lost its step: %v", err)
			}
		})
	}
}

func TestLoginFails(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	_, err := Login(Account{Server: netip.MustParseAddrPort(s.Addr), User: "alice", Password: "wrong"}, nil)
	if err == nil || !strings.Contains(err.Error(), "530") {
		t.Errorf("got %v", err)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	var done atomic.Int64
	rate, calls, err := Rate(3, time.Millisecond, func(int, int) error { done.Add(1); return nil })
	if err != nil || rate <= 0 || done.Load() < 3 || int64(calls) != done.Load() {
		t.Errorf("%v a second, %d done: %v", rate, done.Load(), err)
	}
	broken := errors.New("broken")
	if _, _, err := Rate(2, time.Hour, func(int, int) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
