//go:build linux

package facts

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	meddling = flag.Duration("meddling", 0, "how long another process changes directories on each file system; 0: some hundred changes")
	seed     = flag.Uint64("seed", 0, "of all that is chosen by chance; 0: any")
)

// asMeddler is the environment variable that makes this program the other process: the folder and the seed.
const asMeddler = "FACTS_MEDDLER"

func TestMain(m *testing.M) {
	if order := os.Getenv(asMeddler); order != "" {
		meddle(order)
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// After every change that another process makes, a listing shows what is on the disk. This is the promise of the package.
func TestFactsAreTrue(t *testing.T) {
	t.Parallel()
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64() //nolint:gosec // no secret
	}
	t.Logf("seed %d", chosen)
	for kind, dir := range folders(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			watchMeddler(t, dir, chosen)
		})
	}
}

// watchMeddler compares after every step of a meddler.
func watchMeddler(t *testing.T, dir string, chosen uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this program
	cmd.Env = append(os.Environ(), asMeddler+"="+strconv.FormatUint(chosen, 10)+" "+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	answers := bufio.NewScanner(out)
	defer func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	c, ahead := newCache(t)
	kept, steps, counts := filepath.Join(dir, "kept"), 0, map[string]int{}
	var story []string
	for begin := time.Now(); steps < 600 || time.Since(begin) < *meddling; steps++ {
		if _, err := in.Write([]byte("\n")); err != nil || !answers.Scan() {
			t.Fatal("the other process has gone", err)
		}
		step := answers.Text()
		verb, _, _ := strings.Cut(step, " ")
		counts[verb]++
		if story = append(story, step); len(story) > 12 {
			story = story[1:]
		}
		if strings.HasPrefix(verb, "unreported-") {
			ahead.move(MaxAge)
		}
		s := open(t, c, kept)
		if s == nil {
			s = open(t, c, kept)
		}
		if s == nil { // too much has changed for a while
			ahead.move(MaxAge)
			open(t, c, kept)
			s = open(t, c, kept)
		}
		if s == nil {
			t.Fatal("the directory is not kept")
		}
		if !same(t, contents(t, s), onDisk(t, kept)) {
			t.Fatalf("after %d steps, the last of which were:\n%s", steps, strings.Join(story, "\n"))
		}
	}
	if served := c.Served(); served < int64(steps)/2 {
		t.Errorf("%d of %d listings came from memory", served, steps)
	}
	t.Logf("%d steps, %d of them served from memory: %v", steps, c.Served(), counts)
}

// meddler changes a folder "kept", with another folder "other" beside it.
type meddler struct {
	*rand.Rand
	kept, other string
	files       []*os.File // open for writing
}

func meddle(order string) {
	number, dir, _ := strings.Cut(order, " ")
	n, _ := strconv.ParseUint(number, 10, 64)
	m := &meddler{Rand: rand.New(rand.NewPCG(n, 0)), kept: filepath.Join(dir, "kept"), other: filepath.Join(dir, "other")} //nolint:gosec // to be foreseen
	m.need(os.Mkdir(m.other, 0o700))
	m.populate()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(m.step()) //nolint:forbidigo // the answer
	}
	for _, f := range m.files {
		_ = f.Close()
	}
}

// need ends the process with an error that is not expected.
func (m *meddler) need(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// populate makes the folder.
func (m *meddler) populate() {
	m.need(os.Mkdir(m.kept, 0o700))
	for i := range 60 {
		m.need(os.WriteFile(filepath.Join(m.kept, name(i)), make([]byte, m.IntN(100)), 0o600))
	}
}

func name(i int) string { return fmt.Sprintf("file-%02d%s", i, strings.Repeat("x", i%20)) }

// in returns a path in a folder that may be anything, or nothing.
func (m *meddler) in(dir string) string { return filepath.Join(dir, name(m.IntN(80))) }

// step makes a change, and tells which. If what it wanted is not possible, it tries another one.
func (m *meddler) step() string {
	for {
		i := m.IntN(len(meddlings))
		what, err := meddlings[i].do(m)
		switch {
		case err == nil:
			return meddlings[i].verb + " " + what
		case errors.Is(err, errNot), errors.As(err, new(syscall.Errno)):
		default:
			m.need(fmt.Errorf("%s %s: %w", meddlings[i].verb, what, err))
		}
	}
}

var errNot = errors.New("not possible now")

// regular returns a file in kept, which has several names or one.
func (m *meddler) regular(several bool) (string, error) {
	for range 100 {
		p := m.in(m.kept)
		var st unix.Stat_t
		if unix.Lstat(p, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && several == (st.Nlink > 1) {
			return p, nil
		}
	}
	return "", errNot
}

// subdir returns a directory in kept.
func (m *meddler) subdir() (string, error) {
	found, _ := filepath.Glob(filepath.Join(m.kept, "dir-*"))
	if len(found) == 0 {
		return "", errNot
	}
	return found[m.IntN(len(found))], nil
}

// writer opens a file of kept with one name.
func (m *meddler) writer(flags int) (*os.File, error) {
	p, err := m.regular(false)
	if err != nil {
		return nil, err
	}
	return os.OpenFile(p, os.O_RDWR|flags, 0) //nolint:gosec // of the test
}

func with(f *os.File, err error, do func(*os.File) error) (string, error) {
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // of no interest
	return f.Name(), do(f)
}

func two(do func(a, b string) error, a, b string) (string, error) { return a + " " + b, do(a, b) }

// meddlings are the changes. The names of those of which the kernel does not tell begin with "unreported-".
var meddlings = []struct {
	verb string
	do   func(m *meddler) (string, error)
}{
	{"create", func(m *meddler) (string, error) {
		p := m.in(m.kept)
		f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // of the test
		return with(f, err, func(f *os.File) error { _, err := f.Write(make([]byte, m.IntN(50))); return err })
	}},
	{"append", func(m *meddler) (string, error) {
		f, err := m.writer(os.O_APPEND)
		return with(f, err, func(f *os.File) error { _, err := f.WriteString("more"); return err })
	}},
	{"open", func(m *meddler) (string, error) {
		f, err := m.writer(os.O_APPEND)
		if err != nil {
			return "", err
		}
		if m.files = append(m.files, f); len(m.files) > 5 {
			m.need(m.files[0].Close())
			m.files = m.files[1:]
		}
		return f.Name(), nil
	}},
	{"append-to-open", func(m *meddler) (string, error) {
		if len(m.files) == 0 {
			return "", errNot
		}
		f := m.files[m.IntN(len(m.files))]
		var st unix.Stat_t
		m.need(unix.Fstat(int(f.Fd()), &st))
		if st.Nlink != 1 {
			return "", errNot
		}
		_, err := f.WriteString("even more")
		return f.Name(), err
	}},
	{"truncate", func(m *meddler) (string, error) {
		p, err := m.regular(false)
		if err != nil {
			return "", err
		}
		return p, os.Truncate(p, int64(m.IntN(200)))
	}},
	{"fallocate", func(m *meddler) (string, error) {
		f, err := m.writer(0)
		return with(f, err, func(f *os.File) error { return unix.Fallocate(int(f.Fd()), 0, 0, int64(1+m.IntN(9000))) })
	}},
	{"splice", func(m *meddler) (string, error) {
		f, err := m.writer(0)
		return with(f, err, func(f *os.File) error {
			r, w, err := os.Pipe()
			m.need(err)
			defer r.Close() //nolint:errcheck // of no interest
			defer w.Close() //nolint:errcheck // of no interest
			_, _ = w.WriteString("spliced")
			_, err = unix.Splice(int(r.Fd()), nil, int(f.Fd()), nil, 7, 0)
			return err
		})
	}},
	{"remove", func(m *meddler) (string, error) { p := m.in(m.kept); return p, unix.Unlink(p) }},
	{"rename", func(m *meddler) (string, error) { return two(unix.Rename, m.in(m.kept), m.in(m.kept)) }},
	{"exchange", func(m *meddler) (string, error) {
		return two(func(a, b string) error {
			return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
		}, m.in(m.kept), m.in(m.kept))
	}},
	{"rename-out", func(m *meddler) (string, error) { return two(unix.Rename, m.in(m.kept), m.in(m.other)) }},
	{"rename-in", func(m *meddler) (string, error) { return two(unix.Rename, m.in(m.other), m.in(m.kept)) }},
	{"rename-from-sub", func(m *meddler) (string, error) {
		d, err := m.subdir()
		if err != nil {
			return "", err
		}
		m.need(os.WriteFile(filepath.Join(d, "x"), []byte("from below"), 0o600))
		return two(unix.Rename, filepath.Join(d, "x"), m.in(m.kept))
	}},
	{"chmod", func(m *meddler) (string, error) {
		p := m.in(m.kept)
		return p, unix.Chmod(p, 0o600|uint32(m.IntN(0o77)))
	}},
	{"chown", func(m *meddler) (string, error) {
		p := m.in(m.kept)
		return p, unix.Lchown(p, m.IntN(9), m.IntN(9))
	}},
	{"utimes", func(m *meddler) (string, error) {
		p := m.in(m.kept)
		when := time.Unix(m.Int64N(1<<31), m.Int64N(1e9))
		return p, os.Chtimes(p, time.Time{}, when)
	}},
	{"setxattr", func(m *meddler) (string, error) {
		p := m.in(m.kept)
		return p, unix.Lsetxattr(p, "user.test", []byte("x"), 0)
	}},
	{"symlink", func(m *meddler) (string, error) { return two(unix.Symlink, m.in("/target"), m.in(m.kept)) }},
	{"link-here", func(m *meddler) (string, error) {
		p, err := m.regular(false)
		if err != nil {
			return "", err
		}
		return two(unix.Link, p, m.in(m.kept))
	}},
	{"link-of-many", func(m *meddler) (string, error) {
		p, err := m.regular(true)
		if err != nil {
			return "", err
		}
		return two(unix.Link, p, m.in(m.other))
	}},
	{"link-in", func(m *meddler) (string, error) { return two(unix.Link, m.in(m.other), m.in(m.kept)) }},
	{"change-other", func(m *meddler) (string, error) { // perhaps a name of a file in kept
		p := m.in(m.other)
		return p, os.Truncate(p, int64(m.IntN(300)))
	}},
	{"remove-other", func(m *meddler) (string, error) { p := m.in(m.other); return p, unix.Unlink(p) }},
	{"mkdir", func(m *meddler) (string, error) {
		p := filepath.Join(m.kept, fmt.Sprintf("dir-%d", m.IntN(6)))
		return p, unix.Mkdir(p, 0o700)
	}},
	{"in-sub", func(m *meddler) (string, error) {
		d, err := m.subdir()
		if err != nil {
			return "", err
		}
		p := filepath.Join(d, strconv.Itoa(m.IntN(4)))
		if err := unix.Mkdir(p, 0o700); err == nil {
			return p, nil
		}
		return p, unix.Rmdir(p)
	}},
	{"remove-sub", func(m *meddler) (string, error) {
		d, err := m.subdir()
		if err == nil {
			err = os.RemoveAll(d)
		}
		return d, err
	}},
	{"hidden", func(m *meddler) (string, error) {
		p := filepath.Join(m.kept, ".ftpd-upload-1")
		m.need(os.WriteFile(p, []byte("an upload"), 0o600))
		return two(unix.Rename, p, m.in(m.kept))
	}},
	{"unnamed", func(m *meddler) (string, error) { // the descriptor is older than the name
		fd, err := unix.Open(m.kept, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
		m.need(err)
		f, p := os.NewFile(uintptr(fd), "unnamed"), m.in(m.kept)
		return with(f, nil, func(f *os.File) error {
			err := unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), unix.AT_FDCWD, p, unix.AT_SYMLINK_FOLLOW)
			if err == nil {
				m.files = append(m.files, os.NewFile(uintptr(must2(m, unix.Dup, fd)), p)) // append-to-open writes to it
			}
			return err
		})
	}},
	{"chmod-itself", func(m *meddler) (string, error) { return m.kept, unix.Chmod(m.kept, 0o700|uint32(m.IntN(0o77))) }},
	{"replace-itself", func(m *meddler) (string, error) {
		if m.IntN(10) > 0 {
			return "", errNot // not so often
		}
		if m.IntN(2) == 0 {
			m.need(os.RemoveAll(m.kept))
		} else {
			m.need(os.Rename(m.kept, m.kept+strconv.FormatUint(m.Uint64(), 36)))
		}
		m.populate()
		return m.kept, nil
	}},
	{"unreported-link-elsewhere", func(m *meddler) (string, error) {
		p, err := m.regular(false)
		if err != nil {
			return "", err
		}
		return two(unix.Link, p, m.in(m.other))
	}},
	{"mapped", func(m *meddler) (string, error) { // reported when it is closed
		p, err := m.regular(false)
		if err != nil {
			return "", err
		}
		f, err := os.OpenFile(p, os.O_RDWR, 0) //nolint:gosec // of the test
		return with(f, err, mapped)
	}},
	{"unreported-mapped", func(m *meddler) (string, error) {
		if len(m.files) == 0 {
			return "", errNot
		}
		f := m.files[m.IntN(len(m.files))]
		return f.Name(), mapped(f)
	}},
}

// mapped changes the first byte of a file through a memory mapping.
func mapped(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return errNot
	}
	b, err := unix.Mmap(int(f.Fd()), 0, 1, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	b[0]++
	return unix.Munmap(b)
}

func must2(m *meddler, do func(int) (int, error), n int) int {
	n, err := do(n)
	m.need(err)
	return n
}

// A file that has several names here, all made while the directory is kept, is described correctly by all of them.
func TestLinksInOneDirectory(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c, _ := newCache(t)
	write(t, 1, dir, "a")
	write(t, 1, dir, "b")
	hot(t, c, dir)
	must(t, os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "c")))
	isTrue(t, c, dir)
	write(t, 5, dir, "c")
	isTrue(t, c, dir)
	must(t, os.Remove(filepath.Join(dir, "a")))
	isTrue(t, c, dir)
	if _, err := os.Lstat(filepath.Join(dir, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
