//go:build linux

package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/storage/facts"
)

// files makes n files, and returns their sizes by name.
func files(t *testing.T, dir string, n int) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for i := range n {
		name := fmt.Sprint("file-", i)
		all[name] = int64(i)
		must(t, os.WriteFile(filepath.Join(dir, name), make([]byte, i), 0o600))
	}
	return all
}

// keepable skips the test if directories below dir are not kept, because of their file system.
func keepable(t *testing.T, dir string) {
	t.Helper()
	var st unix.Statfs_t
	must(t, unix.Statfs(dir, &st))
	if !slices.Contains([]int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC}, int64(st.Type)) { //nolint:unconvert // of another type on other architectures
		t.Skipf("%s lies on a file system (%#x) whose directories are not kept", dir, st.Type)
	}
}

// inMemory reports whether a listing reads its entries from memory.
func inMemory(t *testing.T, v FS, name string) bool {
	t.Helper()
	d, err := v.ReadDir(name)
	must(t, err)
	defer d.Close() //nolint:errcheck // it was only read
	return d.(PagedDir).NextPage() != nil
}

// lists compares a listing with the sizes that are expected: from memory if that is possible, and from the disk.
func lists(t *testing.T, v FS, name string, want map[string]int64) {
	t.Helper()
	for _, paged := range []bool{true, false} {
		d, err := v.ReadDir(name)
		must(t, err)
		got := map[string]int64{}
		note := func(info fs.FileInfo) { got[info.Name()] = info.Size() }
		if paged {
			for p := d.(PagedDir).NextPage(); p != nil; p = d.(PagedDir).NextPage() {
				p.Each(note)
			}
		}
		for {
			info, err := d.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			note(info)
		}
		must(t, d.Close())
		if !maps.Equal(got, want) {
			t.Errorf("paged %v: there are %v,\nwant %v", paged, got, want)
		}
	}
}

// A directory that is listed again is read from memory, and every listing shows what the operations before it have done.
func TestKeptDirectory(t *testing.T) {
	t.Parallel()
	v, home := newHome(t)
	keepable(t, home)
	must(t, v.Mkdir("/d"))
	want := files(t, filepath.Join(home, "d"), 30)
	if inMemory(t, v, "/d") {
		t.Error("a directory was kept at its first listing")
	}
	for i := range 3 {
		added := "new-" + strconv.Itoa(i)
		lists(t, v, "/d", want)
		must(t, upload(v, "/d/"+added, "12345", CreateOptions{}))
		want[added] = 5
		lists(t, v, "/d", want)
		must(t, upload(v, "/d/file-3", "123", CreateOptions{Append: true}))
		want["file-3"] += 3
		lists(t, v, "/d", want)
		must(t, v.Remove("/d/file-"+strconv.Itoa(10+i)))
		delete(want, "file-"+strconv.Itoa(10+i))
		lists(t, v, "/d", want)
		u, err := v.Create("/d/never", CreateOptions{})
		must(t, err)
		_, err = u.Writer().Write([]byte("hidden until Commit"))
		must(t, err)
		lists(t, v, "/d", want)
		must(t, u.Abort())
		if !inMemory(t, v, "/d") {
			t.Error("the directory is not kept")
		}
	}
	must(t, os.RemoveAll(filepath.Join(home, "d")))
	if _, err := v.ReadDir("/d"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that was removed: %v", err)
	}
	must(t, v.Mkdir("/d"))
	lists(t, v, "/d", files(t, filepath.Join(home, "d"), 20))
}

// Who may not read a directory any more can't list it, although it is kept.
func TestKeptDirectoryThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	v, home := newHome(t)
	dir := filepath.Join(home, "d")
	must(t, v.Mkdir("/d"))
	want := files(t, dir, 30)
	for _, mode := range []fs.FileMode{0o300, 0o600} { // can't be read; can't be searched
		for range 3 {
			lists(t, v, "/d", want)
		}
		must(t, os.Chmod(dir, mode)) //nolint:gosec // of the test
		d, err := v.ReadDir("/d")
		if err == nil {
			if d.(PagedDir).NextPage() != nil {
				t.Error("it was listed")
			}
			_, err = d.Next()
			must(t, d.Close())
		}
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("mode %o: %v", mode, err)
		}
		must(t, os.Chmod(dir, 0o700)) //nolint:gosec // of the test
	}
}

// A directory that turns out to be too large to be kept is listed whole.
func TestTooLargeToBeKept(t *testing.T) {
	t.Parallel()
	l, err := NewLocal(t.TempDir())
	must(t, err)
	l.kept = kept{facts.New(statAt, hidden, 20_000)}
	v, err := l.Home("home", true)
	must(t, err)
	t.Cleanup(func() { must(t, v.Close(), l.Close()) })
	want := files(t, filepath.Join(l.root.Name(), "home"), 1500) // some batches
	for range 4 {
		lists(t, v, "/", want)
	}
	if inMemory(t, v, "/") {
		t.Error("there is memory for the directory")
	}
}

// A closed Local lists its open views as before, and keeps nothing.
func TestKeptDirectoryOfAClosedLocal(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	l, err := NewLocal(root)
	must(t, err)
	v, err := l.Home(".", false)
	must(t, err)
	want := files(t, root, 30)
	for range 3 {
		lists(t, v, "/", want)
	}
	must(t, l.Close())
	for range 3 {
		lists(t, v, "/", want)
	}
	if inMemory(t, v, "/") {
		t.Error("the directory is kept")
	}
	must(t, v.Close())
}
