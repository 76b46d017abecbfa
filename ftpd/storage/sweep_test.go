package storage

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestSweep(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	old, veryOld := time.Now().Add(-time.Hour), time.Now().Add(-48*time.Hour)
	leftover := func(dir, name string, when time.Time) {
		t.Helper()
		file := filepath.Join(dir, uploadPrefix+name)
		must(t, os.MkdirAll(dir, 0o700), os.WriteFile(file, []byte("half"), 0o600), os.Chtimes(file, when, when))
	}
	home := filepath.Join(root, "home")
	deep := filepath.Join(home, "a/b/c")
	leftover(root, "1", old)
	leftover(home, "2", old)
	leftover(deep, "3", veryOld)
	for i := range batch {
		leftover(deep, "many"+string(rune('a'+i%26))+string(rune('a'+i/26)), old)
	}
	leftover(outside, "4", veryOld)
	must(t, os.WriteFile(filepath.Join(home, "file"), nil, 0o600), os.Chtimes(filepath.Join(home, "file"), veryOld, veryOld),
		os.Mkdir(filepath.Join(home, uploadPrefix+"dir"), 0o700),
		os.Symlink(outside, filepath.Join(home, "link")),
		os.Symlink("file", filepath.Join(home, uploadPrefix+"link")))

	// This is a running upload of another process.
	other, err := NewLocal(root)
	must(t, err)
	defer other.Close() //nolint:errcheck // a test's
	v, err := other.Home("home", false)
	must(t, err)
	defer v.Close() //nolint:errcheck // a test's
	u, err := v.Create("/going-on", CreateOptions{})
	must(t, err)
	_, err = io.WriteString(u.Writer(), "half")
	must(t, err)
	for _, name := range onDisk(t, home) {
		if filepath.Join(home, name) == u.Writer().(*os.File).Name() {
			must(t, os.Chtimes(filepath.Join(home, name), veryOld, veryOld))
		}
	}

	l, err := NewLocal(root)
	must(t, err)
	defer l.Close()                                         //nolint:errcheck // a test's
	leftover(home, "younger", time.Now().Add(48*time.Hour)) // the clock was set back afterwards
	n, err := l.Sweep(t.Context())
	if want := 4 + batch; n != want || err != nil {
		t.Errorf("Sweep removed %d (%v), want %d", n, err, want)
	}
	must(t, u.Commit())
	for dir, want := range map[string][]string{
		root: {"home"}, deep: nil, outside: {uploadPrefix + "4"},
		home: {uploadPrefix + "dir", uploadPrefix + "link", "a", "file", "going-on", "link"},
	} {
		if got := onDisk(t, dir); !slices.Equal(got, want) {
			t.Errorf("in %s is left %q, want %q", filepath.Base(dir), got, want)
		}
	}
	if n, err := l.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("a second Sweep removed %d (%v)", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Sweep(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep with an ended context: %v", err)
	}
}
