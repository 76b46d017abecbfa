//go:build linux

package facts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func fstatat(dir uintptr, name *byte, st *unix.Stat_t) (errno syscall.Errno) {
	_ = errors.As(unix.Fstatat(int(dir), unix.BytePtrToString(name), st, unix.AT_SYMLINK_NOFOLLOW), &errno)
	return errno
}

// clock is a clock that can be moved. The cache's timer reads it, too.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// set puts the clock so far ahead of the real time, and move moves it on.
func (c *clock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }
func (c *clock) move(by time.Duration)   { c.ahead.Add(int64(by)) }

// newCache returns a Cache that keeps directories of any size. For its clock all files have settled.
func newCache(t *testing.T) (*Cache, *clock) {
	t.Helper()
	c, ahead := New(fstatat, func(name string) bool { return strings.HasPrefix(name, ".ftpd-") }, 8<<20), &clock{}
	ahead.set(2 * settled)
	c.now, c.least, c.patient = ahead.now, 0, time.Hour
	t.Cleanup(c.Close)
	return c, ahead
}

// folders returns an empty folder on each kind of file system that is at hand and may be kept.
func folders(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, parent := range []string{t.TempDir(), "/dev/shm"} {
		dir, err := os.MkdirTemp(parent, "facts-") //nolint:usetesting // t.TempDir is on one file system only
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil || !IsLocal(int64(st.Type)) { //nolint:unconvert // of another type on other architectures
			continue
		}
		found[fmt.Sprintf("%#x", st.Type)] = dir
	}
	if len(found) == 0 {
		t.Skip("NOT TESTED: no file system here may be kept")
	}
	if w, err := newWatcher(); err != nil {
		t.Skipf("NOT TESTED: no inotify: %v", err)
	} else {
		w.close()
	}
	return found
}

// folder returns one of folders.
func folder(t *testing.T) string {
	t.Helper()
	for _, dir := range folders(t) {
		return dir
	}
	return ""
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, size int, path ...string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(path...), make([]byte, size), 0o600))
}

// shown is what a listing shows of an entry.
type shown struct {
	mode       fs.FileMode
	size       int64
	modified   time.Time
	ino, links uint64
	uid, gid   uint32
}

func showsOf(info fs.FileInfo) shown {
	st := info.Sys().(*syscall.Stat_t)
	return shown{info.Mode(), info.Size(), info.ModTime().UTC(), st.Ino, uint64(st.Nlink), st.Uid, st.Gid} //nolint:unconvert // of another type on other architectures
}

// onDisk is what a directory holds.
func onDisk(t *testing.T, dir string) map[string]shown {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	found := map[string]shown{}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !strings.HasPrefix(e.Name(), ".ftpd-") {
			found[e.Name()] = showsOf(info)
		}
	}
	return found
}

// readAll reads a directory as package storage does.
func readAll(c *Cache, dir int) func(AddFunc) error {
	return func(add AddFunc) error {
		buf := make([]byte, 8<<10)
		for {
			n, err := unix.ReadDirent(dir, buf)
			if n <= 0 || err != nil {
				return err
			}
			for b := buf[:n]; len(b) > 0; b = b[binary.NativeEndian.Uint16(b[16:]):] {
				name, _, _ := strings.Cut(string(b[19:binary.NativeEndian.Uint16(b[16:])]), "\x00")
				if name == "." || name == ".." || c.hidden(name) {
					continue
				}
				var st unix.Stat_t
				err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
				if errors.Is(err, unix.ENOENT) {
					continue
				}
				if err == nil {
					err = add(name+"\x00", binary.NativeEndian.Uint64(b), &st)
				}
				if err != nil {
					return err
				}
			}
		}
	}
}

// open opens a directory and returns what the cache says of it; nil if that is nothing.
func open(t *testing.T, c *Cache, dir string) *Snapshot {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd) //nolint:errcheck // it was only read
	s := c.Open(uintptr(fd), readAll(c, fd))
	if s != nil {
		s.Release() // it can be read nevertheless
	}
	return s
}

// contents returns the entries of a snapshot, and fails if one is there twice.
func contents(t *testing.T, s *Snapshot) map[string]shown {
	t.Helper()
	found := map[string]shown{}
	note := func(info fs.FileInfo) {
		if _, twice := found[info.Name()]; twice {
			t.Errorf("%q is there twice", info.Name())
		}
		found[info.Name()] = showsOf(info)
	}
	r := NewReader(s)
	for p := r.NextPage(); p != nil; p = r.NextPage() {
		p.Each(func(info fs.FileInfo) {
			if info.Mode()&fs.ModeSymlink != 0 {
				t.Errorf("%q is a link and in a page", info.Name())
			}
			note(info)
		})
	}
	for i := r.Next(); i != nil; i = r.Next() {
		if i.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%q is no link, and not in a page", i.Name())
		}
		note(i)
	}
	other := NewReader(s)
	for n := 0; ; n++ {
		if name, ok := other.NextName(); !ok {
			if n != len(found) || n != s.count {
				t.Errorf("%d names, then %d, and the count is %d", len(found), n, s.count)
			}
			return found
		} else if _, known := found[name]; !known {
			t.Errorf("%q is not in a page", name)
		}
	}
}

// isTrue lists a directory with the cache, which has to keep it, and compares that with the disk.
func isTrue(t *testing.T, c *Cache, dir string) bool {
	t.Helper()
	s := open(t, c, dir)
	if s == nil {
		t.Error("the directory is not kept")
		return false
	}
	return same(t, contents(t, s), onDisk(t, dir))
}

func same(t *testing.T, got, want map[string]shown) bool {
	t.Helper()
	if maps.Equal(got, want) {
		return true
	}
	for name, w := range want {
		if g, ok := got[name]; !ok {
			t.Errorf("%q is missing", name)
		} else if g != w {
			t.Errorf("%q is stale:\n got %+v\nwant %+v", name, g, w)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%q is not there any more", name)
		}
	}
	return false
}

// hot lists a directory until it is kept.
func hot(t *testing.T, c *Cache, dir string) {
	t.Helper()
	if open(t, c, dir) != nil {
		t.Error("a directory was kept at its first listing")
	}
	isTrue(t, c, dir)
	before := c.Served()
	if isTrue(t, c, dir); c.Served() != before+1 {
		t.Error("the directory is read again and again")
	}
}

// keeps returns the number of directories that are kept.
func (c *Cache) keeps() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.kept)
}
