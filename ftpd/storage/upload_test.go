package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestUploadIsInvisibleUntilCommitted(t *testing.T) {
	v, dir := newHome(t)
	for _, before := range []string{"", "old content"} { // a new file, then one that is replaced
		u, err := v.Create("/f", CreateOptions{})
		must(t, err)
		_, err = io.WriteString(u.Writer(), "new content")
		must(t, err)
		if before == "" {
			_, err = v.Stat("/f")
			wantErr(t, "Stat before Commit", err, fs.ErrNotExist)
		} else if got := content(t, v, "/f"); got != before {
			t.Errorf("before Commit it holds %q", got)
		}
		must(t, u.Commit())
		if got := content(t, v, "/f"); got != "new content" {
			t.Errorf("after Commit it holds %q", got)
		}
		wantErr(t, "Commit again", u.Commit(), fs.ErrClosed)
		wantErr(t, "Abort after Commit", u.Abort(), fs.ErrClosed)
		must(t, upload(v, "/f", "old content", CreateOptions{}))
	}
	u, err := v.Create("/f", CreateOptions{})
	must(t, err)
	_, err = io.WriteString(u.Writer(), "half")
	must(t, err, u.Abort())
	wantErr(t, "Abort again", u.Abort(), fs.ErrClosed)
	wantErr(t, "Commit after Abort", u.Commit(), fs.ErrClosed)
	if got := content(t, v, "/f"); got != "old content" {
		t.Errorf("after Abort it holds %q", got)
	}
	if got := onDisk(t, dir); !slices.Equal(got, []string{"f"}) {
		t.Errorf("on disk: %q", got)
	}
}

func TestUploadKeepsMode(t *testing.T) {
	v, dir := newHome(t)
	must(t, upload(v, "/f", "a", CreateOptions{}))
	info, err := v.Stat("/f")
	must(t, err)
	if info.Mode()&^fileMode != 0 {
		t.Errorf("a new file has mode %v, want at most %v", info.Mode(), fs.FileMode(fileMode))
	}
	must(t, v.Chmod("/f", 0o606), upload(v, "/f", "b", CreateOptions{}))
	if info, err = v.Stat("/f"); err != nil || info.Mode() != 0o606 {
		t.Errorf("a replaced file has mode %v (%v), want 0606", info.Mode(), err)
	}
	must(t, v.Chmod("/f", 0o444))
	wantErr(t, "replace a write-protected file", upload(v, "/f", "c", CreateOptions{}), fs.ErrPermission)
	if got := onDisk(t, dir); len(got) != 1 {
		t.Errorf("on disk: %q", got)
	}
}

func TestUploadTargets(t *testing.T) {
	v, _ := newHome(t)
	must(t, v.Mkdir("/d"))
	for _, o := range []CreateOptions{{}, {Append: true}, {Offset: 1}} {
		wantErr(t, "onto a directory", upload(v, "/d", "x", o), ErrIsDirectory)
		wantErr(t, "onto /", upload(v, "/", "x", o), ErrIsDirectory)
	}
	wantErr(t, "into nothing", upload(v, "/x/f", "x", CreateOptions{}), fs.ErrNotExist)
	wantErr(t, "negative offset", upload(v, "/f", "x", CreateOptions{Offset: -1}), fs.ErrInvalid)

	// A directory takes the name of the target meanwhile.
	u, err := v.Create("/f", CreateOptions{})
	must(t, err, v.Mkdir("/f"))
	wantErr(t, "Commit onto a new directory", u.Commit(), fs.ErrExist)
	wantErr(t, "Abort after a failed Commit", u.Abort(), fs.ErrClosed)
	if got := names(t, v, "/"); !slices.Equal(got, []string{"d", "f"}) {
		t.Errorf("listed: %q", got)
	}
}

func TestExclusive(t *testing.T) {
	v, dir := newHome(t)
	exclusive := CreateOptions{Exclusive: true}
	must(t, upload(v, "/f", "first", exclusive))
	wantErr(t, "at Create", upload(v, "/f", "second", exclusive), fs.ErrExist)
	wantErr(t, "with Append", upload(v, "/f", "second", CreateOptions{Exclusive: true, Append: true}), fs.ErrExist)
	wantErr(t, "with Offset", upload(v, "/f", "second", CreateOptions{Exclusive: true, Offset: 1}), fs.ErrExist)

	must(t, os.Symlink("nothing", filepath.Join(dir, "link")))
	wantErr(t, "on a dangling link", upload(v, "/link", "second", exclusive), fs.ErrExist)
	must(t, v.Remove("/link"), v.Mkdir("/link"))
	wantErr(t, "on a directory", upload(v, "/link", "second", exclusive), fs.ErrExist)
	must(t, v.Rmdir("/link"))

	const rivals = 8
	var uploads []Upload
	for range rivals {
		u, err := v.Create("/g", exclusive)
		must(t, err)
		_, err = io.WriteString(u.Writer(), "one of them")
		must(t, err)
		uploads = append(uploads, u)
	}
	var won int
	for _, u := range uploads {
		switch err := u.Commit(); {
		case err == nil:
			won++
		case !errors.Is(err, fs.ErrExist):
			t.Error(err)
		}
	}
	if won != 1 || content(t, v, "/g") != "one of them" {
		t.Errorf("%d of %d exclusive uploads to one name were committed", won, rivals)
	}
	if got := onDisk(t, dir); !slices.Equal(got, []string{"f", "g"}) {
		t.Errorf("on disk: %q", got)
	}
}

func TestResume(t *testing.T) {
	for _, c := range []struct {
		name, before, write string
		o                   CreateOptions
		want                string // after Commit
		err                 error
	}{
		{"at the end", "12345", "67", CreateOptions{Offset: 5}, "1234567", nil},
		{"in the middle", "12345", "ab", CreateOptions{Offset: 2}, "12ab", nil}, // prefix and upload together are the client's file
		{"over the end", "12345", "abcdef", CreateOptions{Offset: 2}, "12abcdef", nil},
		{"nothing at the end", "12345", "", CreateOptions{Offset: 5}, "12345", nil},
		{"beyond the end", "12345", "x", CreateOptions{Offset: 6}, "12345", ErrOffset},
		{"append", "12345", "67", CreateOptions{Append: true}, "1234567", nil},
		{"append with an offset", "12345", "67", CreateOptions{Append: true, Offset: 99}, "1234567", nil},
		{"append nothing", "12345", "", CreateOptions{Append: true}, "12345", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, dir := newHome(t)
			must(t, upload(v, "/f", c.before, CreateOptions{}), v.Chmod("/f", 0o600))
			if err := upload(v, "/f", c.write, c.o); !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if got := content(t, v, "/f"); got != c.want {
				t.Errorf("holds %q, want %q", got, c.want)
			}
			if info, err := v.Stat("/f"); err != nil || info.Mode() != 0o600 {
				t.Errorf("mode %v (%v)", info.Mode(), err)
			}
			if got := onDisk(t, dir); len(got) != 1 {
				t.Errorf("on disk: %q", got)
			}
		})
	}
	v, _ := newHome(t)
	wantErr(t, "resume of nothing", upload(v, "/f", "x", CreateOptions{Offset: 1}), ErrOffset)
	must(t, upload(v, "/f", "new", CreateOptions{Append: true}))
	if got := content(t, v, "/f"); got != "new" {
		t.Errorf("append to nothing gives %q", got)
	}
	must(t, v.Chmod("/f", 0o444))
	if os.Getuid() != 0 {
		wantErr(t, "append to a write-protected file", upload(v, "/f", "x", CreateOptions{Append: true}), fs.ErrPermission)
	}
}

// An upload must continue in its directory when that is renamed, and fail cleanly when it is removed.
func TestUploadIntoMovedDirectory(t *testing.T) {
	v, _ := newHome(t)
	must(t, v.Mkdir("/a"))
	u, err := v.Create("/a/f", CreateOptions{})
	must(t, err, v.Rename("/a", "/b"), u.Commit())
	if got := names(t, v, "/b"); !slices.Equal(got, []string{"f"}) {
		t.Errorf("listed: %q", got)
	}
	v, dir := newHome(t)
	must(t, v.Mkdir("/a"))
	u, err = v.Create("/a/f", CreateOptions{})
	must(t, err, os.RemoveAll(filepath.Join(dir, "a")))
	wantErr(t, "Commit into a directory that is gone", u.Commit(), fs.ErrNotExist)
}

// Readers must see one upload or another, complete, and nothing else.
func TestConcurrentUploadsOfOneName(t *testing.T) {
	v, dir := newHome(t)
	var writers, readers sync.WaitGroup
	const size = 100_000
	must(t, upload(v, "/f", strings.Repeat("z", size), CreateOptions{}))
	done := make(chan struct{})
	for i := range 4 {
		writers.Go(func() {
			for range 10 {
				if err := upload(v, "/f", strings.Repeat(string(rune('a'+i)), size), CreateOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			got := content(t, v, "/f")
			if len(got) != size || strings.Count(got, got[:1]) != size {
				t.Errorf("read a mixture of %d bytes", len(got))
				return
			}
		}
	})
	writers.Wait()
	close(done)
	readers.Wait()
	if got := onDisk(t, dir); !slices.Equal(got, []string{"f"}) {
		t.Errorf("on disk: %q", got)
	}
}

const fullDiskEnv = "FTPD_TEST_FULL_DISK"

// On a full disk an upload must fail with that error, leave nothing behind, and leave the old file unchanged. The
// disk is a small tmpfs in a mount namespace that ends with the test's child process.
func TestFullDisk(t *testing.T) {
	exe, err := os.Executable()
	must(t, err)
	dir := t.TempDir()
	read, write, err := os.Pipe()
	must(t, err)
	defer read.Close() //nolint:errcheck // a test's
	child, err := os.StartProcess(exe, []string{exe}, &os.ProcAttr{
		Env:   append(os.Environ(), fullDiskEnv+"="+dir),
		Files: []*os.File{nil, write, write},
		Sys: &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		},
	})
	must(t, write.Close())
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("NOT TESTED: this machine allows no user namespaces: %v", err)
	}
	must(t, err)
	output, err := io.ReadAll(read)
	must(t, err)
	state, err := child.Wait()
	must(t, err)
	if !state.Success() {
		t.Errorf("%s: %s", state, output)
	}
}

// onFullDisk is the main function of the child process of TestFullDisk.
func onFullDisk() int {
	if err := fillDisk(os.Getenv(fullDiskEnv)); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func fillDisk(dir string) error {
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=256k"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	l, err := NewLocal(dir)
	if err != nil {
		return err
	}
	v, err := l.Home("home", true)
	if err != nil {
		return err
	}
	for _, o := range []CreateOptions{{}, {Append: true}, {Offset: 1}, {Offset: 3}} {
		if err := upload(v, "/f", "old", CreateOptions{}); err != nil {
			return err
		}
		err := upload(v, "/f", strings.Repeat("x", 1<<20), o)
		if !errors.Is(err, syscall.ENOSPC) || Classify(err) != KindNoSpace {
			return fmt.Errorf("%+v on a full disk: %w", o, err)
		}
		entries, err := os.ReadDir(filepath.Join(dir, "home"))
		if err != nil || len(entries) != 1 {
			return fmt.Errorf("%+v left %v (%w)", o, entries, err)
		}
		info, err := v.Stat("/f")
		if err != nil {
			return err
		}
		if info.Size() != 3 {
			return fmt.Errorf("%+v left a file of %d bytes", o, info.Size())
		}
		if err := v.Remove("/f"); err != nil {
			return err
		}
	}
	if err := onReadOnlyDisk(v, dir); err != nil {
		return err
	}
	return errors.Join(v.Close(), l.Close())
}

// onReadOnlyDisk checks that every change fails with the reason, and that reading works.
func onReadOnlyDisk(v FS, dir string) error {
	if err := upload(v, "/f", "old", CreateOptions{}); err != nil {
		return err
	}
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("remount: %w", err)
	}
	for what, err := range map[string]error{
		"store":  upload(v, "/g", "x", CreateOptions{}),
		"append": upload(v, "/f", "x", CreateOptions{Append: true}),
		"resume": upload(v, "/f", "x", CreateOptions{Offset: 1}),
		"mkdir":  v.Mkdir("/d"), "remove": v.Remove("/f"), "rename": v.Rename("/f", "/g"),
		"chmod": v.Chmod("/f", 0o600), "time": v.SetModTime("/f", time.Now()),
	} {
		if Classify(err) != KindReadOnly {
			return fmt.Errorf("%s on a read-only disk: %w (kind %d)", what, err, Classify(err))
		}
	}
	f, err := v.Open("/f")
	if err != nil {
		return fmt.Errorf("open on a read-only disk: %w", err)
	}
	return f.Close()
}
