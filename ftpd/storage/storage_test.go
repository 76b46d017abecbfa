package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(fullDiskEnv) != "":
		os.Exit(onFullDisk())
	case os.Getenv(dyingEnv) != "":
		dieWriting()
	}
	goleak.VerifyTestMain(m)
}

// newHome returns the view of a home named "home", and its directory, whose parent is the storage root.
func newHome(t testing.TB) (FS, string) {
	t.Helper()
	root := t.TempDir()
	l, err := NewLocal(root)
	if err != nil {
		t.Fatal(err)
	}
	v, err := l.Home("home", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(v.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	})
	return v, filepath.Join(root, "home")
}

func must(t testing.TB, errs ...error) {
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

// upload stores content, and returns the error of the step that failed.
func upload(v FS, name, content string, o CreateOptions) error {
	u, err := v.Create(name, o)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(u.Writer(), content); err != nil {
		return errors.Join(err, u.Abort())
	}
	return u.Commit()
}

func content(t testing.TB, v FS, name string) string {
	t.Helper()
	f, err := v.Open(name)
	must(t, err)
	data, err := io.ReadAll(f)
	must(t, err, f.Close())
	return string(data)
}

// names lists a directory through the view, sorted.
func names(t testing.TB, v FS, dir string) []string {
	t.Helper()
	d, err := v.ReadDir(dir)
	must(t, err)
	defer d.Close() //nolint:errcheck // a test's
	var all []string
	for {
		info, err := d.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(all)
			return all
		}
		must(t, err)
		all = append(all, info.Name())
	}
}

// onDisk lists a directory as it is on the disk, with temporary files.
func onDisk(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestHome(t *testing.T) {
	root := t.TempDir()
	l, err := NewLocal(root)
	must(t, err)
	defer l.Close() //nolint:errcheck // a test's
	_, err = l.Home("a/b", false)
	wantErr(t, "absent home", err, fs.ErrNotExist)
	v, err := l.Home("a/b", true)
	must(t, err)
	must(t, upload(v, "/f", "x", CreateOptions{}), v.Close())
	info, err := os.Stat(filepath.Join(root, "a/b"))
	must(t, err)
	if info.Mode().Perm()&^homeMode != 0 {
		t.Errorf("home has mode %v, want at most %v", info.Mode(), fs.FileMode(homeMode))
	}
	for _, home := range []string{".", "a", "a/b"} {
		v, err := l.Home(home, false)
		if err != nil {
			t.Errorf("home %q: %v", home, err)
			continue
		}
		must(t, v.Close())
	}
	for _, home := range []string{"", "/", "/a", "..", "../x", "a/../..", "a/", "a//b", "./a", uploadPrefix + "x", "a/" + uploadPrefix + "x"} {
		_, err := l.Home(home, true)
		wantErr(t, "home "+home, err, fs.ErrInvalid)
	}
	must(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o600),
		os.Symlink(t.TempDir(), filepath.Join(root, "out")), syscall.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	for home, want := range map[string]error{"file": ErrNotDirectory, "file/x": ErrNotDirectory, "out": fs.ErrPermission, "out/x": fs.ErrPermission, "fifo": ErrNotDirectory} {
		_, err := l.Home(home, true)
		wantErr(t, "home "+home, err, want)
	}
	if _, err := NewLocal(filepath.Join(root, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent root: %v", err)
	}
}

func TestNames(t *testing.T) {
	v, _ := newHome(t)
	must(t, v.Mkdir("/d"))
	calls := map[string]func(name string) error{
		"Stat":       func(name string) error { _, err := v.Stat(name); return err },
		"ReadDir":    func(name string) error { _, err := v.ReadDir(name); return err },
		"Open":       func(name string) error { _, err := v.Open(name); return err },
		"Create":     func(name string) error { _, err := v.Create(name, CreateOptions{}); return err },
		"Append":     func(name string) error { _, err := v.Create(name, CreateOptions{Append: true}); return err },
		"Mkdir":      v.Mkdir,
		"Remove":     v.Remove,
		"Rmdir":      v.Rmdir,
		"Rename":     func(name string) error { return v.Rename(name, "/new") },
		"Rename to":  func(name string) error { return v.Rename("/d", name) },
		"SetModTime": func(name string) error { return v.SetModTime(name, time.Now()) },
		"Chmod":      func(name string) error { return v.Chmod(name, 0o600) },
	}
	for what, call := range calls {
		for _, name := range []string{"", "a", "../a", "/../a", "/d/", "//d", "/d/../..", "/./d", "/a\x00b", "."} {
			wantErr(t, what+" "+name, call(name), fs.ErrInvalid)
		}
		err := call("/" + strings.Repeat("n", 256))
		if Classify(err) != KindInvalid {
			t.Errorf("%s of a name of 256 bytes: %v", what, err)
		}
	}
}

// Files that are not complete must not be visible, and no operation must be able to touch them.
func TestTemporaryFilesAreOutOfReach(t *testing.T) {
	v, dir := newHome(t)
	must(t, v.Mkdir("/d"))
	u, err := v.Create("/d/f", CreateOptions{})
	must(t, err)
	temp := onDisk(t, filepath.Join(dir, "d"))
	if len(temp) != 1 || !strings.HasPrefix(temp[0], uploadPrefix) {
		t.Fatalf("on disk: %q", temp)
	}
	if got := names(t, v, "/d"); len(got) != 0 {
		t.Errorf("listed: %q", got)
	}
	name := "/d/" + temp[0]
	for _, name := range []string{name, name + "/x"} {
		_, err = v.Stat(name)
		wantErr(t, "Stat", err, fs.ErrNotExist)
		_, err = v.Open(name)
		wantErr(t, "Open", err, fs.ErrNotExist)
		_, err = v.ReadDir(name)
		wantErr(t, "ReadDir", err, fs.ErrNotExist)
		_, err = v.Create(name, CreateOptions{Append: true})
		wantErr(t, "Create", err, fs.ErrPermission)
		wantErr(t, "Mkdir", v.Mkdir(name), fs.ErrPermission)
		wantErr(t, "Remove", v.Remove(name), fs.ErrNotExist)
		wantErr(t, "Rmdir", v.Rmdir(name), fs.ErrNotExist)
		wantErr(t, "Rename", v.Rename(name, "/x"), fs.ErrNotExist)
		wantErr(t, "Rename to", v.Rename("/d", name), fs.ErrPermission)
		wantErr(t, "SetModTime", v.SetModTime(name, time.Now()), fs.ErrNotExist)
		wantErr(t, "Chmod", v.Chmod(name, 0), fs.ErrNotExist)
	}
	if err := v.Rmdir("/d"); Classify(err) != KindNotEmpty {
		t.Errorf("a directory with an upload in it is removed: %v", err)
	}
	must(t, u.Abort(), v.Rmdir("/d"))
}

func TestDirectoriesAndFiles(t *testing.T) {
	v, dir := newHome(t)
	must(t, v.Mkdir("/d"), upload(v, "/d/f", "x", CreateOptions{}))
	wantErr(t, "Mkdir again", v.Mkdir("/d"), fs.ErrExist)
	wantErr(t, "Mkdir over a file", v.Mkdir("/d/f"), fs.ErrExist)
	wantErr(t, "Mkdir without parent", v.Mkdir("/x/y"), fs.ErrNotExist)
	wantErr(t, "Mkdir below a file", v.Mkdir("/d/f/y"), ErrNotDirectory)
	wantErr(t, "Mkdir /", v.Mkdir("/"), fs.ErrExist)

	wantErr(t, "Rmdir of a file", v.Rmdir("/d/f"), ErrNotDirectory)
	if err := v.Rmdir("/d"); Classify(err) != KindNotEmpty {
		t.Errorf("Rmdir of a full directory: %v", err)
	}
	wantErr(t, "Rmdir /", v.Rmdir("/"), fs.ErrPermission)
	wantErr(t, "Remove of a directory", v.Remove("/d"), ErrIsDirectory)
	wantErr(t, "Remove of nothing", v.Remove("/x"), fs.ErrNotExist)
	wantErr(t, "Remove /", v.Remove("/"), ErrIsDirectory)

	_, err := v.Open("/d")
	wantErr(t, "Open of a directory", err, ErrIsDirectory)
	_, err = v.ReadDir("/d/f")
	wantErr(t, "ReadDir of a file", err, ErrNotDirectory)

	wantErr(t, "Rename /", v.Rename("/", "/x"), fs.ErrPermission)
	wantErr(t, "Rename to /", v.Rename("/d", "/"), fs.ErrPermission)
	if err := v.Rename("/d", "/d/e"); Classify(err) != KindInvalid {
		t.Errorf("Rename of a directory into itself: %v", err)
	}
	must(t, v.Mkdir("/e"))
	wantErr(t, "Rename over a directory", v.Rename("/d/f", "/e"), fs.ErrExist)
	must(t, v.Rename("/d/f", "/e/g"), upload(v, "/e/h", "y", CreateOptions{}), v.Rename("/e/g", "/e/h"))
	if got := content(t, v, "/e/h"); got != "x" {
		t.Errorf("/e/h holds %q after a rename over it, want x", got)
	}

	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	must(t, v.SetModTime("/e/h", when), v.Chmod("/e/h", fs.ModeSetuid|0o604), v.SetModTime("/e", when))
	info, err := v.Stat("/e/h")
	must(t, err)
	if !info.ModTime().Equal(when) || info.Mode() != 0o604 || info.Name() != "h" || info.Size() != 1 {
		t.Errorf("Stat: %s %v %s %d", info.Name(), info.Mode(), info.ModTime(), info.Size())
	}
	wantErr(t, "SetModTime of nothing", v.SetModTime("/x", when), fs.ErrNotExist)
	must(t, v.Remove("/e/h"), v.Rmdir("/e"), v.Rmdir("/d"))
	if left := onDisk(t, dir); len(left) != 0 {
		t.Errorf("left on disk: %q", left)
	}
}

func TestReadDirInBatches(t *testing.T) {
	v, home := newHome(t)
	var want []string
	for i := range 3*batch + 7 + listBuffer/24 {
		name := strings.Repeat("f", 1+i%40) + string(rune('a'+i%26)) + string(rune(0x4e00+i))
		want = append(want, name)
		must(t, os.WriteFile(filepath.Join(home, name), nil, 0o600))
	}
	slices.Sort(want)
	if got := names(t, v, "/"); !slices.Equal(got, want) {
		t.Errorf("%d names listed, want %d", len(got), len(want))
	}
	d, err := v.ReadDir("/")
	must(t, err)
	if _, err := d.Next(); err != nil {
		t.Error(err)
	}
	if held := len(d.(*keptDir).names); held > listBuffer/24 { // the least that an entry takes
		t.Errorf("%d names held at once", held)
	}
	must(t, d.Close())
	if _, err := v.ReadDir("/absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// Opening a file that is not regular must never block.
func TestSpecialFiles(t *testing.T) {
	v, dir := newHome(t)
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	_, err := v.Open("/fifo")
	wantErr(t, "Open", err, ErrNotRegular)
	_, err = v.ReadDir("/fifo")
	wantErr(t, "ReadDir", err, ErrNotDirectory)
	for _, o := range []CreateOptions{{}, {Append: true}, {Offset: 1}} {
		_, err = v.Create("/fifo", o)
		wantErr(t, "Create", err, ErrNotRegular)
	}
	_, err = v.Create("/fifo/f", CreateOptions{})
	wantErr(t, "Create below", err, ErrNotDirectory)
	if info, err := v.Stat("/fifo"); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("Stat: %v, %v", info, err)
	}
	must(t, v.Remove("/fifo"))
}

// The returned values must have the dynamic types that the zero-copy paths of packages os and net look for.
func TestZeroCopyTypes(t *testing.T) {
	v, _ := newHome(t)
	must(t, upload(v, "/f", "abc", CreateOptions{}))
	f, err := v.Open("/f")
	must(t, err)
	if _, ok := OSFile(f); !ok {
		t.Errorf("Open gives a %T: sendfile would not apply", f)
	}
	must(t, f.Close())
	for _, o := range []CreateOptions{{}, {Append: true}, {Offset: 1}, {Offset: 3}, {Exclusive: true}} {
		name := "/f"
		if o.Exclusive {
			name = "/g"
		}
		u, err := v.Create(name, o)
		must(t, err)
		w, ok := u.Writer().(*os.File)
		if !ok {
			t.Fatalf("%+v: the writer is a %T: splice would not apply", o, u.Writer())
		}
		conn, err := w.SyscallConn()
		must(t, err)
		must(t, conn.Control(func(fd uintptr) {
			flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
			if errno != 0 || flags&syscall.O_APPEND != 0 {
				t.Errorf("%+v: flags %#x (%v): splice would not apply with O_APPEND", o, flags, errno)
			}
		}))
		must(t, u.Abort())
	}
}

func TestClassify(t *testing.T) {
	for err, want := range map[error]Kind{
		nil:                   KindOther,
		io.ErrUnexpectedEOF:   KindOther,
		syscall.EIO:           KindOther,
		syscall.ENOENT:        KindNotExist,
		syscall.EEXIST:        KindExist,
		syscall.ENOTEMPTY:     KindNotEmpty,
		syscall.EACCES:        KindPermission,
		syscall.EPERM:         KindPermission,
		syscall.EROFS:         KindReadOnly,
		escapeError{}:         KindPermission,
		syscall.ENOSPC:        KindNoSpace,
		syscall.EDQUOT:        KindQuota,
		ErrQuota:              KindQuota,
		ErrBusy:               KindBusy,
		errChanged:            KindBusy,
		errors.ErrUnsupported: KindUnsupported,
		syscall.EOPNOTSUPP:    KindUnsupported,
		syscall.EFBIG:         KindNoSpace,
		syscall.EISDIR:        KindIsDirectory,
		syscall.ENOTDIR:       KindNotDirectory,
		ErrNotRegular:         KindNotRegular,
		syscall.ENXIO:         KindNotRegular,
		ErrOffset:             KindOffset,
		fs.ErrInvalid:         KindInvalid,
		syscall.ENAMETOOLONG:  KindInvalid,
		syscall.ELOOP:         KindInvalid,
	} {
		for _, wrapped := range []error{err, failure("store", "/f", err), &os.SyscallError{Syscall: "splice", Err: err}} {
			if wrapped == nil {
				continue
			}
			if got := Classify(wrapped); got != want {
				t.Errorf("Classify(%v) = %d, want %d", wrapped, got, want)
			}
		}
	}
	if Classify(nil) != KindOther {
		t.Error("Classify(nil) is not KindOther")
	}
}

// No error may reveal where the home is on this machine.
func TestErrorsShowNoRealPath(t *testing.T) {
	v, dir := newHome(t)
	must(t, upload(v, "/f", "", CreateOptions{}))
	_, stat := v.Stat("/x/y")
	_, open := v.Open("/f/y")
	_, list := v.ReadDir("/f")
	_, create := v.Create("/x/y", CreateOptions{})
	for _, err := range []error{stat, open, list, create, v.Mkdir("/f"), v.Remove("/x"), v.Rmdir("/x"), v.Rename("/x", "/y"), v.Chmod("/x", 0), v.SetModTime("/x", time.Now())} {
		if err == nil || strings.Contains(err.Error(), filepath.Base(dir)) || !strings.Contains(err.Error(), "/") {
			t.Errorf("error: %v", err)
		}
	}
}
