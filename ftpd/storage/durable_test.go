package storage

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// watchSyncs records the base names of the files that are synced until the test ends, and lets fail make a sync fail.
// Of a file that is only written out it records the name and " written".
func watchSyncs(t *testing.T, fail func(name string) error) (synced func() []string) {
	t.Helper()
	var mu sync.Mutex
	var names []string
	watch := func(f *os.File, suffix string) error {
		name := filepath.Base(f.Name())
		if strings.HasPrefix(name, uploadPrefix) {
			name = "temporary file"
		}
		if strings.HasPrefix(name, appendPrefix) {
			name = "journal"
		}
		mu.Lock()
		names = append(names, name+suffix)
		mu.Unlock()
		if fail != nil {
			return fail(name)
		}
		return nil
	}
	reallySync, reallyWrite := syncFile, writeOut
	syncFile = func(f *os.File) error { return cmp.Or(watch(f, ""), reallySync(f)) }
	writeOut = func(f *os.File) error { return cmp.Or(watch(f, " written"), reallyWrite(f)) }
	t.Cleanup(func() { syncFile, writeOut = reallySync, reallyWrite })
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		all := names
		names = nil
		return all
	}
}

// Everything must be on the disk before the acknowledgement; with NoSync nothing must be synced.
func TestDurability(t *testing.T) {
	ordering(t, false)
	root := t.TempDir()
	l, err := NewLocal(root)
	must(t, err)
	defer l.Close() //nolint:errcheck // a test's
	synced := watchSyncs(t, nil)
	for _, noSync := range []bool{false, true, false} {
		l.Configure(Options{NoSync: noSync})
		v, err := l.Home("home", true)
		must(t, err)
		synced()
		for _, step := range []struct {
			what string
			err  func() error
			want string
		}{
			{"store", func() error { return upload(v, "/f", "12345", CreateOptions{}) }, "temporary file, ."},
			{"append", func() error { return upload(v, "/f", "6", CreateOptions{Append: true}) }, "journal, ., f, ."},
			{"resume", func() error { return upload(v, "/f", "3", CreateOptions{Offset: 2}) }, "temporary file, ."},
			{"mkdir", func() error { return v.Mkdir("/d") }, "."},
			{"rename", func() error { return v.Rename("/f", "/d/f") }, "d, ."},
			{"store a new one", func() error { return upload(v, "/g", "x", CreateOptions{Exclusive: true}) }, "temporary file, ."},
			{"remove", func() error { return errors.Join(v.Remove("/g"), v.Remove("/d/f"), v.Rmdir("/d")) }, ""},
		} {
			must(t, step.err())
			want := step.want
			if noSync {
				want = ""
			}
			if got := strings.Join(synced(), ", "); got != want {
				t.Errorf("NoSync %v: %s synced %q, want %q", noSync, step.what, got, want)
			}
		}
		must(t, v.Close())
	}
}

// Where the journal keeps the order, one fsync must do: the data are on the disk before the name is given.
func TestDurabilityInOrder(t *testing.T) {
	ordering(t, true)
	v, _ := newHome(t)
	synced := watchSyncs(t, nil)
	for _, step := range []struct {
		o    CreateOptions
		want string
	}{
		{CreateOptions{}, "temporary file written, ."},
		{CreateOptions{Append: true}, "journal written, ., f written, ."},
		{CreateOptions{Offset: 2}, "temporary file written, ."},
	} {
		must(t, upload(v, "/f", "12345", step.o))
		if got := strings.Join(synced(), ", "); got != step.want {
			t.Errorf("%+v synced %q, want %q", step.o, got, step.want)
		}
	}
}

// An upload or a change that can't be made durable must be neither acknowledged nor visible.
func TestSyncFails(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("ordered %v", ordered), func(t *testing.T) {
			ordering(t, ordered)
			syncFails(t)
		})
	}
}

func syncFails(t *testing.T) {
	for _, c := range []struct {
		o    CreateOptions
		fail string
	}{
		{CreateOptions{}, "temporary file"},
		{CreateOptions{Offset: 2}, "temporary file"},
		{CreateOptions{Append: true}, "journal"},
		{CreateOptions{Append: true}, "f"},
	} {
		v, dir := newHome(t)
		oldFile(t, v)
		failed := false
		watchSyncs(t, func(name string) error {
			if name == c.fail && !failed {
				failed = true
				return syscall.EIO
			}
			return nil
		})
		wantErr(t, c.fail, upload(v, "/f", "67", c.o), syscall.EIO)
		wantOldFile(t, v, dir)
	}
}

// If a home vanishes while a session uses it, each operation must fail with fs.ErrNotExist.
func TestVanishedHome(t *testing.T) {
	v, dir := newHome(t)
	oldFile(t, v)
	u := begin(t, v, "/g", "half", CreateOptions{})
	w := begin(t, v, "/f", "half", CreateOptions{Append: true})
	must(t, os.RemoveAll(dir), os.Mkdir(dir, 0o700)) // a new directory is not the old one
	_, stat := v.Stat("/f")
	_, open := v.Open("/f")
	for what, err := range map[string]error{
		"Commit": u.Commit(), "Commit of an append": w.Commit(), "Stat": stat, "Open": open,
		"Create": upload(v, "/h", "x", CreateOptions{}), "Append": upload(v, "/f", "x", CreateOptions{Append: true}),
		"Mkdir": v.Mkdir("/d"), "Remove": v.Remove("/f"), "Rename": v.Rename("/f", "/h"),
	} {
		if kind := Classify(err); kind != KindNotExist && (kind != KindBusy || what != "Commit of an append") {
			t.Errorf("%s in a home that is gone: %v", what, err)
		}
	}
	if got := onDisk(t, dir); len(got) != 0 {
		t.Errorf("made in the new one: %q", got)
	}
}

func TestHarmlessNames(t *testing.T) {
	v, dir := newHome(t)
	must(t, upload(v, "/f", "", CreateOptions{}), os.WriteFile(filepath.Join(dir, "a\x1b[2Jb"), nil, 0o600))
	for _, bad := range []string{"a\nb", "a\r", "\x1b[31m", "\x7f", "\u009b2J", "a\xffb", "\xc0\xaf", "a\u202egpj.exe", "\u2066a", "\u2069a", "a\u202a", "a\x9b2J", "\x80", "a\u2028b", "\t"} {
		name := "/" + bad
		for what, err := range map[string]error{
			"Create": upload(v, name, "", CreateOptions{}), "Append": upload(v, name, "", CreateOptions{Append: true}),
			"Mkdir": v.Mkdir(name), "Rename": v.Rename("/f", name),
		} {
			if Classify(err) != KindInvalid {
				t.Errorf("%s of %q: %v", what, name, err)
			}
		}
	}
	for _, good := range []string{"-rf", " a b ", "$(x)", "ü€漢字🙂", "a;b", "~", "*", "e\u0301", "שלום", `"`, "\\"} {
		must(t, upload(v, "/"+good, "", CreateOptions{}), v.Remove("/"+good))
	}
	// A file with a harmful name that exists, however it was made, must be listed and removable.
	if got := names(t, v, "/"); !slices.Contains(got, "a\x1b[2Jb") {
		t.Errorf("listed: %q", got)
	}
	must(t, v.Rename("/a\x1b[2Jb", "/good"), v.Remove("/good"))
}

func TestChmodOfADirectory(t *testing.T) {
	v, _ := newHome(t)
	must(t, v.Mkdir("/d"), upload(v, "/d/f", "x", CreateOptions{}), v.Chmod("/d", 0), v.Chmod("/d/f", 0))
	for name, want := range map[string]os.FileMode{"/d": os.ModeDir | 0o700, "/d/f": 0} {
		if info, err := v.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
}

func TestAvailable(t *testing.T) {
	v, _ := newHome(t)
	must(t, upload(v, "/f", "", CreateOptions{}))
	if n, err := Available(v, "/"); err != nil || n <= 0 {
		t.Errorf("available: %d (%v)", n, err)
	}
	_, err := Available(v, "/absent")
	wantErr(t, "Available of nothing", err, os.ErrNotExist)
	_, err = Available(v, "/f")
	wantErr(t, "Available of a file", err, ErrNotDirectory)
	_, err = Available(plain{v}, "/")
	wantErr(t, "Available where nobody knows", err, errors.ErrUnsupported)
	_, err = QuotaOf(v)
	wantErr(t, "QuotaOf where nobody counts", err, errors.ErrUnsupported)
	lines := Quota{UsedBytes: 7, LimitBytes: 5, UsedFiles: 2}.Lines()
	if want := []string{"Bytes: 7 used of 5, 0 left", "Files: 2 used, no limit, directories included"}; !slices.Equal(lines, want) {
		t.Errorf("lines: %q", lines)
	}
}

// plain is an FS that implements none of the optional interfaces.
type plain struct{ FS }
