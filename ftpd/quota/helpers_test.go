package quota

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// server is a storage with a Registry, as in a daemon.
type server struct {
	t     testing.TB
	root  string
	local *storage.Local
	*Registry
}

func newServer(t testing.TB, root string, limits map[string]Limit) *server {
	t.Helper()
	local, err := storage.NewLocal(root)
	must(t, err)
	open := func(home string) (storage.FS, error) { return local.Home(home, false) }
	s := &server{t: t, root: root, local: local, Registry: New(open, quiet)}
	s.SetLimits(limits)
	t.Cleanup(func() {
		s.Close()
		must(t, local.Close())
	})
	return s
}

// login returns the view of a user with this home.
func (s *server) login(user, home string) storage.FS {
	s.t.Helper()
	v, err := s.local.Home(home, true)
	must(s.t, err)
	q := s.View(v, user, home)
	s.t.Cleanup(func() { _ = q.Close() })
	return q
}

// reporter is a *testing.T, a *testing.B or a *rapid.T.
type reporter interface {
	Helper()
	Fatal(args ...any)
}

func must(t reporter, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// store uploads content as the daemon does: with ReadFrom if the writer has one.
func store(v storage.FS, name, content string, o storage.CreateOptions) error {
	u, err := v.Create(name, o)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(u.Writer(), strings.NewReader(content), int64(len(content))); err != nil {
		return errors.Join(err, u.Abort())
	}
	return u.Commit()
}

// held returns what a directory holds, counted as the package counts it, without temporary files.
func held(t reporter, dir string) usage {
	t.Helper()
	var sum usage
	must(t, filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == dir || strings.HasPrefix(e.Name(), ".ftpd-") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		sum.files++
		if info.Mode().IsRegular() {
			sum.bytes += info.Size()
		}
		return nil
	}))
	return sum
}

// wantCount compares a home's account with the disk. No upload may be running.
func (s *server) wantCount(home string) {
	s.t.Helper()
	must(s.t, s.counted(home))
	s.settled(home)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[home]
	if want := held(s.t, filepath.Join(s.root, home)); a.used != want || a.reserved != (usage{}) || a.ahead != 0 {
		s.t.Errorf("%s: used %+v, reserved %+v, ahead %d; on disk is %+v", home, a.used, a.reserved, a.ahead, want)
	}
}

// settled waits until no count is running.
func (s *server) settled(home string) {
	for {
		s.mu.Lock()
		w := s.accounts[home].walk
		s.mu.Unlock()
		if w == nil {
			return
		}
		<-w.done
	}
}
