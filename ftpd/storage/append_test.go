package storage

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/internal/reserved"
)

// appends lists the two ways to append to a file of five bytes.
var appends = []CreateOptions{{Append: true}, {Offset: 5}}

var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// oldFile creates /f with five bytes.
func oldFile(t testing.TB, v FS) {
	t.Helper()
	must(t, upload(v, "/f", "12345", CreateOptions{}), v.SetModTime("/f", longAgo))
}

// wantOldFile checks that /f is as oldFile made it, and that no other file is next to it.
func wantOldFile(t testing.TB, v FS, dir string) {
	t.Helper()
	if got := content(t, v, "/f"); got != "12345" {
		t.Errorf("holds %q, want what it did", got)
	}
	if info, err := v.Stat("/f"); err != nil || !info.ModTime().Equal(longAgo) {
		t.Errorf("its time is %v (%v), want what it was", info.ModTime(), err)
	}
	if got := onDisk(t, dir); !slices.Equal(got, []string{"f"}) {
		t.Errorf("on disk: %q", got)
	}
}

// begin starts an upload and writes data to it.
func begin(t testing.TB, v FS, name, data string, o CreateOptions) Upload {
	t.Helper()
	u, err := v.Create(name, o)
	must(t, err)
	_, err = io.WriteString(u.Writer(), data)
	must(t, err)
	return u
}

func TestAppendAborted(t *testing.T) {
	for _, o := range append(appends, CreateOptions{Offset: 2}) {
		v, dir := newHome(t)
		oldFile(t, v)
		u := begin(t, v, "/f", "67", o)
		must(t, u.Abort())
		wantErr(t, "Commit after Abort", u.Commit(), fs.ErrClosed)
		wantErr(t, "Keep after Abort", u.Keep(), fs.ErrClosed)
		wantErr(t, "Abort again", u.Abort(), fs.ErrClosed)
		wantOldFile(t, v, dir)
	}
}

func TestKeep(t *testing.T) {
	for _, c := range []struct {
		before, write string
		o             CreateOptions
		want          string
	}{
		{"12345", "abc", CreateOptions{}, "abc"},
		{"12345", "", CreateOptions{}, "12345"},
		{"", "abc", CreateOptions{}, "abc"},
		{"", "", CreateOptions{}, "absent"},
		{"12345", "67", CreateOptions{Append: true}, "1234567"},
		{"12345", "", CreateOptions{Append: true}, "12345"},
		{"12345", "67", CreateOptions{Offset: 5}, "1234567"},
		{"12345", "a", CreateOptions{Offset: 2}, "12a"},
		{"12345", "", CreateOptions{Offset: 2}, "12345"},
	} {
		v, dir := newHome(t)
		if c.before != "" {
			must(t, upload(v, "/f", c.before, CreateOptions{}))
		}
		u := begin(t, v, "/f", c.write, c.o)
		must(t, u.Keep())
		wantErr(t, "Commit after Keep", u.Commit(), fs.ErrClosed)
		got := "absent"
		if _, err := v.Stat("/f"); err == nil {
			got = content(t, v, "/f")
		}
		if left := onDisk(t, dir); got != c.want || len(left) > 1 {
			t.Errorf("%+v of %q kept: it holds %q, want %q; on disk: %q", c.o, c.write, got, c.want, left)
		}
	}
}

// A second writer must be refused with ErrBusy, by whichever name; readers and uploads that replace the file must not
// be.
func TestAppendLocks(t *testing.T) {
	v, dir := newHome(t)
	oldFile(t, v)
	must(t, os.Symlink("f", filepath.Join(dir, "link")))
	u := begin(t, v, "/link", "67", CreateOptions{Append: true})
	for _, o := range append(appends, CreateOptions{Offset: 2}) {
		err := upload(v, "/f", "x", o)
		wantErr(t, fmt.Sprintf("%+v beside an append", o), err, ErrBusy)
	}
	wantErr(t, "Rename away", v.Rename("/f", "/g"), ErrBusy)
	if got := content(t, v, "/f"); !strings.HasPrefix(got, "12345") {
		t.Errorf("a reader gets %q", got)
	}
	must(t, u.Commit(), v.Remove("/link"), upload(v, "/f", "8", CreateOptions{Append: true}), v.Rename("/f", "/g"))
	if got := content(t, v, "/g"); got != "12345678" {
		t.Errorf("holds %q", got)
	}
	if got := onDisk(t, dir); !slices.Equal(got, []string{"g"}) {
		t.Errorf("on disk: %q", got)
	}
}

// An append to a file that no longer exists must not be acknowledged.
func TestAppendToWhatIsReplaced(t *testing.T) {
	for what, change := range map[string]func(v FS) error{
		"replaced":      func(v FS) error { return upload(v, "/f", "new", CreateOptions{}) },
		"removed":       func(v FS) error { return v.Remove("/f") },
		"renamed to":    func(v FS) error { return v.Rename("/other", "/f") },
		"made of parts": func(v FS) error { return upload(v, "/f", "new", CreateOptions{Offset: 0, Expect: 3}) },
	} {
		v, dir := newHome(t)
		oldFile(t, v)
		must(t, upload(v, "/other", "other", CreateOptions{}))
		u := begin(t, v, "/f", "67", CreateOptions{Append: true})
		must(t, change(v))
		wantErr(t, "Commit of an append to a file that was "+what, u.Commit(), ErrBusy)
		for _, name := range onDisk(t, dir) {
			if strings.HasPrefix(name, reserved.Prefix) {
				t.Errorf("%s: left behind: %s", what, name)
			}
		}
		must(t, upload(v, "/f", "8", CreateOptions{Append: true}))
	}
}

// Of two uploads that append to a file that does not exist yet, one must create it and the other must fail.
func TestAppendToNothingTwice(t *testing.T) {
	v, dir := newHome(t)
	first := begin(t, v, "/f", "first", CreateOptions{Append: true})
	second := begin(t, v, "/f", "second", CreateOptions{Append: true})
	must(t, second.Commit())
	wantErr(t, "the first", first.Commit(), ErrBusy)
	if got := content(t, v, "/f"); got != "second" || len(onDisk(t, dir)) != 1 {
		t.Errorf("holds %q; on disk: %q", got, onDisk(t, dir))
	}
}

// An append that is completed while another process looks at its journal must not be taken for an interrupted one:
// what was acknowledged would be cut off.
func TestCompletedAppendIsNotUndone(t *testing.T) {
	v, dir := newHome(t)
	must(t, upload(v, "/f", "first", CreateOptions{}))
	u := begin(t, v, "/f", " second", CreateOptions{Append: true})
	journal, err := os.OpenFile(filepath.Join(dir, journalName("f")), os.O_RDWR, 0) // as settleIn and Sweep do
	must(t, err)
	defer journal.Close() //nolint:errcheck // it was only read
	if dead, err := ownerDied(journal, time.Now()); dead || err != nil {
		t.Fatalf("while it runs: %v, %v", dead, err)
	}
	must(t, u.Commit())
	if dead, err := ownerDied(journal, time.Now()); dead || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("once it is completed: %v, %v", dead, err)
	}
}

// If many append at once, as if in two processes, what was acknowledged must be there, complete and once.
func TestConcurrentAppends(t *testing.T) {
	v, home := newHome(t)
	must(t, upload(v, "/f", "", CreateOptions{}))
	other, err := NewLocal(filepath.Dir(home))
	must(t, err)
	defer other.Close() //nolint:errcheck // a test's
	w, err := other.Home("home", false)
	must(t, err)
	defer w.Close() //nolint:errcheck // a test's
	var mu sync.Mutex
	var acknowledged []string
	var writers sync.WaitGroup
	for i, v := range []FS{v, w, v, w} {
		writers.Go(func() {
			for n := range 20 {
				line := fmt.Sprintf("%d-%d-%s\n", i, n, strings.Repeat("x", 100*i))
				switch err := upload(v, "/f", line, CreateOptions{Append: true}); {
				case err == nil:
					mu.Lock()
					acknowledged = append(acknowledged, line)
					mu.Unlock()
				case !errors.Is(err, ErrBusy):
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	got := slices.Sorted(strings.Lines(content(t, v, "/f")))
	slices.Sort(acknowledged)
	if len(got) == 0 || !slices.Equal(got, acknowledged) {
		t.Errorf("%d lines are in the file, %d were acknowledged", len(got), len(acknowledged))
	}
	if left := onDisk(t, home); len(left) != 1 {
		t.Errorf("on disk: %q", left)
	}
}

const dyingEnv = "FTPD_TEST_DYING"

// dieWriting is the main function of a process that is killed in the middle of an upload. Its arguments are the
// storage root and the kind of upload.
func dieWriting() {
	root, way, _ := strings.Cut(os.Getenv(dyingEnv), "|")
	err := func() error {
		l, err := NewLocal(root)
		if err != nil {
			return err
		}
		v, err := l.Home("home", false)
		if err != nil {
			return err
		}
		o := map[string]CreateOptions{"append": {Append: true}, "at the end": {Offset: 5}, "in the middle": {Offset: 2}, "anew": {}}[way]
		u, err := v.Create("/f", o)
		if err != nil {
			return err
		}
		_, err = io.WriteString(u.Writer(), "half of what")
		return err
	}()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("written")
	_, _ = io.Copy(io.Discard, os.Stdin) // blocks until the process is killed
	os.Exit(1)
}

// dyingWriter starts a process that has written half of an upload, and returns a function that kills it.
func dyingWriter(t *testing.T, root, way string) (kill func()) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	child := exec.Command(exe) //nolint:gosec // this test itself
	child.Env = append(os.Environ(), dyingEnv+"="+root+"|"+way)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	must(t, err)
	stdout, err := child.StdoutPipe()
	must(t, err, child.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "written\n" {
		t.Fatalf("the writer says %q (%v)", line, err)
	}
	return func() {
		must(t, child.Process.Kill())
		_ = child.Wait() // the error says that it was killed
		_ = stdin.Close()
	}
}

// While a process lives, its upload must not be touched. After it was killed, the sweep or the next access to the
// file must roll the upload back.
func TestCrash(t *testing.T) {
	for _, way := range []string{"append", "at the end", "in the middle", "anew"} {
		v, home := newHome(t)
		oldFile(t, v)
		kill := dyingWriter(t, filepath.Dir(home), way)
		sweep := func() int {
			t.Helper()
			l, err := NewLocal(filepath.Dir(home))
			must(t, err)
			n, err := l.Sweep(t.Context())
			must(t, err, l.Close())
			return n
		}
		if n := sweep(); n != 0 {
			t.Errorf("%s: a sweep took %d uploads that are going on", way, n)
		}
		if inPlace := way == "append" || way == "at the end"; inPlace {
			wantErr(t, "append beside another process", upload(v, "/f", "x", CreateOptions{Append: true}), ErrBusy)
			if got := onDisk(t, home); len(got) != 2 || got[0] != journalName("f") {
				t.Errorf("%s: on disk: %q", way, got)
			}
		}
		kill()
		if n := sweep(); n != 1 {
			t.Errorf("%s: the sweep undid %d uploads, want 1", way, n)
		}
		wantOldFile(t, v, home)
	}
}

// An access to the file before the sweep must roll the crashed upload back.
func TestCrashBeforeSweep(t *testing.T) {
	for what, c := range map[string]struct {
		do   func(t *testing.T, v FS) error
		want map[string]string
	}{
		"read": {func(t *testing.T, v FS) error {
			if got := content(t, v, "/f"); got != "12345" {
				t.Errorf("read %q", got)
			}
			return nil
		}, map[string]string{"/f": "12345"}},
		"append":  {func(_ *testing.T, v FS) error { return upload(v, "/f", "6", CreateOptions{Append: true}) }, map[string]string{"/f": "123456"}},
		"resume":  {func(_ *testing.T, v FS) error { return upload(v, "/f", "6", CreateOptions{Offset: 5}) }, map[string]string{"/f": "123456"}},
		"rewrite": {func(_ *testing.T, v FS) error { return upload(v, "/f", "6", CreateOptions{Offset: 2}) }, map[string]string{"/f": "126"}},
		"replace": {func(_ *testing.T, v FS) error { return upload(v, "/f", "longer than it was", CreateOptions{}) }, map[string]string{"/f": "longer than it was"}},
		"rename":  {func(_ *testing.T, v FS) error { return v.Rename("/f", "/g") }, map[string]string{"/g": "12345"}},
		"rename over": {func(_ *testing.T, v FS) error {
			return errors.Join(upload(v, "/g", "another", CreateOptions{}), v.Rename("/g", "/f"))
		}, map[string]string{"/f": "another"}},
		"remove": {func(_ *testing.T, v FS) error { return v.Remove("/f") }, map[string]string{}},
	} {
		v, home := newHome(t)
		oldFile(t, v)
		dyingWriter(t, filepath.Dir(home), "append")()
		if err := c.do(t, v); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		l, err := NewLocal(filepath.Dir(home))
		must(t, err)
		if n, err := l.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("%s left %d things to do (%v)", what, n, err)
		}
		must(t, l.Close())
		got := map[string]string{}
		for _, name := range onDisk(t, home) {
			got["/"+name] = content(t, v, "/"+name)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: on disk is %v, want %v", what, got, c.want)
		}
	}
}

// Journals that do not describe the file as it is must change nothing.
func TestForeignJournals(t *testing.T) {
	for what, spoil := range map[string]func(e *journalEntry){
		"another file":    func(e *journalEntry) { e.Inode++ },
		"a shorter file":  func(e *journalEntry) { e.Size = 99 },
		"no file":         func(e *journalEntry) { e.Name = []byte("g") },
		"another's home":  func(e *journalEntry) { e.Name = []byte("../other") },
		"a hidden file":   func(e *journalEntry) { e.Name = []byte(uploadPrefix) },
		"nothing at all":  func(e *journalEntry) { *e = journalEntry{} },
		"a parent":        func(e *journalEntry) { e.Name = []byte("..") },
		"a negative size": func(e *journalEntry) { e.Size = -1 },
	} {
		v, home := newHome(t)
		oldFile(t, v)
		must(t, os.WriteFile(filepath.Join(home, "../other"), []byte("other than that"), 0o600))
		info, err := v.Stat("/f")
		must(t, err)
		e := entryOf("f", info)
		e.Size = 1
		spoil(&e)
		j, err := os.Create(filepath.Join(home, journalName("f")))
		must(t, err, e.write(j), j.Close())
		must(t, upload(v, "/f", "6", CreateOptions{Append: true}))
		if got := content(t, v, "/f"); got != "123456" {
			t.Errorf("a journal of %s: the file holds %q", what, got)
		}
		if other, err := os.ReadFile(filepath.Join(home, "../other")); err != nil || string(other) != "other than that" {
			t.Errorf("a journal of %s: beside the home is %q (%v)", what, other, err)
		}
		if got := onDisk(t, home); len(got) != 1 {
			t.Errorf("a journal of %s: on disk: %q", what, got)
		}
	}
}

// A process that crashed while it wrote its journal must not have touched the file.
func TestTornJournal(t *testing.T) {
	v, home := newHome(t)
	oldFile(t, v)
	info, err := v.Stat("/f")
	must(t, err)
	e := entryOf("f", info)
	e.Size = 1
	whole := filepath.Join(home, "whole")
	j, err := os.Create(whole)
	must(t, err, e.write(j), j.Close())
	text, err := os.ReadFile(whole)
	must(t, err, os.Remove(whole))
	for n := range text { // all but the last byte
		must(t, os.WriteFile(filepath.Join(home, journalName("f")), text[:n], 0o600))
		if got := content(t, v, "/f"); got != "12345" || len(onDisk(t, home)) != 1 {
			t.Fatalf("with %d bytes of %d: it holds %q; on disk: %q", n, len(text), got, onDisk(t, home))
		}
	}
}
