//go:build linux

package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What openat2 answers must be what an os.Root answers: each name leads to the same file, or is refused for the same reason.
// Not parallel: openat2 is switched off for the whole process.
func TestBeneath(t *testing.T) {
	root := t.TempDir()
	outside := filepath.Join(root, "outside")
	must(t, os.WriteFile(outside, []byte("secret"), 0o600))
	home := filepath.Join(root, "home")
	must(t, os.MkdirAll(filepath.Join(home, "d", "e"), 0o700))
	must(t, os.WriteFile(filepath.Join(home, "f"), []byte("f"), 0o600))
	must(t, os.WriteFile(filepath.Join(home, "d", "e", "g"), []byte("g"), 0o600))
	must(t, unix.Mkfifo(filepath.Join(home, "fifo"), 0o600))
	for name, target := range map[string]string{
		"file": "f", "deep": "d/e/g", "up": "d/../f", "d/back": "../f", "dir": "d", "d/again": "e", "dangling": "none",
		"out": "../outside", "d/out": "../../outside", "absolute": outside, "root": "/", "proc": "/proc/self/root" + outside,
		"loop": "loop", "one": "other", "other": "one", "d/e/far": "../../../home/f",
	} {
		must(t, os.Symlink(target, filepath.Join(home, name)))
	}
	l, err := NewLocal(root)
	must(t, err)
	defer l.Close() //nolint:errcheck // a test's
	v, err := l.Home("home", false)
	must(t, err)
	defer v.Close() //nolint:errcheck // a test's
	open := func(name string) (string, error) {
		f, err := v.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close() //nolint:errcheck // a test's
		text, err := io.ReadAll(f)
		return string(text), err
	}
	create := func(name string) error {
		u, err := v.Create(name, CreateOptions{})
		if err != nil {
			return err
		}
		return u.Abort()
	}
	for _, name := range []string{
		"/", "/f", "/f/x", "/d", "/d/e/g", "/none", "/none/x", "/fifo", "/file", "/deep", "/up", "/d/back", "/dir", "/dir/e/g", "/d/again/g",
		"/dangling", "/out", "/d/out", "/absolute", "/root", "/root/etc/passwd", "/proc", "/loop", "/one", "/d/e/far", "/dir/out", "/out/x",
	} {
		withoutOpenat2.Store(false)
		text, err := open(name)
		made := create(name)
		withoutOpenat2.Store(true)
		wantText, want := open(name)
		wantMade := create(name)
		withoutOpenat2.Store(false)
		if text != wantText || Classify(err) != Classify(want) || (err == nil) != (want == nil) {
			t.Errorf("Open(%s): %q, %v; an os.Root says %q, %v", name, text, err, wantText, want)
		}
		if Classify(made) != Classify(wantMade) || (made == nil) != (wantMade == nil) {
			t.Errorf("Create(%s): %v; an os.Root says %v", name, made, wantMade)
		}
	}
}

// An open file reads on from where it stands, also as an *os.File, and can be closed once.
func TestReading(t *testing.T) {
	t.Parallel()
	v, _ := newHome(t)
	must(t, upload(v, "/f", "0123456789", CreateOptions{}))
	f, err := v.Open("/f")
	must(t, err)
	if _, ok := f.(*reading); !ok {
		t.Skipf("openat2 is not available here: Open gives a %T", f)
	}
	next := func(n int, want string) {
		t.Helper()
		p := make([]byte, n)
		if _, err := io.ReadFull(f, p); err != nil || string(p) != want {
			t.Errorf("read %q, %v; want %q", p, err, want)
		}
	}
	next(2, "01")
	_, err = f.Seek(3, io.SeekStart)
	must(t, err)
	next(2, "34")
	if info, err := f.Stat(); err != nil || info.Size() != 10 || info.Name() != "f" {
		t.Errorf("%v, %v", info, err)
	}
	file, ok := OSFile(f)
	if !ok {
		t.Fatal("there is no *os.File")
	}
	if text, err := io.ReadAll(file); string(text) != "56789" || err != nil {
		t.Errorf("the *os.File reads %q, %v", text, err)
	}
	if n, err := f.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 10 {
		t.Errorf("%v, %v", info, err)
	}
	must(t, f.Close())

	f, err = v.Open("/f")
	must(t, err)
	must(t, f.Close())
	if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := f.Read(make([]byte, 1)); err == nil {
		t.Error("a closed file was read")
	}
	if _, ok := OSFile(f); ok {
		t.Error("a closed file is an *os.File")
	}
}

// A file system is what the kernel says it is; the test's own directory may be on any.
func TestFileSystemOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]fileSystem{"/proc": anyFileSystem, "/dev/shm": memoryDisk} {
		var about unix.Statfs_t
		if unix.Statfs(path, &about) != nil || path == "/dev/shm" && about.Type != unix.TMPFS_MAGIC {
			continue // another machine
		}
		d, err := os.Open(path)
		must(t, err)
		if got := fileSystemOf(int(d.Fd())); got != want {
			t.Errorf("%s: %v", path, got)
		}
		must(t, d.Close())
	}
}
