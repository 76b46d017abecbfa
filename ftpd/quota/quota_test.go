package quota

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

func TestBytes(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 10}})
	v := s.login("alice", "alice")
	must(t, store(v, "/a", "12345", storage.CreateOptions{}), store(v, "/b", "12345", storage.CreateOptions{}))
	wantErr(t, "one more byte", store(v, "/c", "1", storage.CreateOptions{}), storage.ErrQuota)
	must(t, store(v, "/empty", "", storage.CreateOptions{}))
	wantErr(t, "append", store(v, "/b", "1", storage.CreateOptions{Append: true}), storage.ErrQuota)
	wantErr(t, "resume", store(v, "/b", "1", storage.CreateOptions{Offset: 5}), storage.ErrQuota)
	wantErr(t, "longer", store(v, "/b", "123456", storage.CreateOptions{}), storage.ErrQuota)
	s.wantCount("alice")
	// Only the difference must count.
	must(t, store(v, "/b", "54321", storage.CreateOptions{}), store(v, "/b", "321", storage.CreateOptions{Offset: 2}),
		store(v, "/b", "x", storage.CreateOptions{Offset: 1}), store(v, "/b", "yz0", storage.CreateOptions{Append: true}))
	s.wantCount("alice")
	wantErr(t, "one more byte again", store(v, "/c", "1", storage.CreateOptions{}), storage.ErrQuota)
	must(t, v.Remove("/a"), store(v, "/c", "12345", storage.CreateOptions{}))
	wantErr(t, "one more byte at last", store(v, "/d", "1", storage.CreateOptions{}), storage.ErrQuota)
	must(t, v.Rename("/c", "/b"), store(v, "/d", "12345", storage.CreateOptions{}))
	s.wantCount("alice")
	if got := held(t, filepath.Join(s.root, "alice")); got != (usage{10, 3}) {
		t.Errorf("on disk: %+v", got)
	}
}

func TestFiles(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Files: 3}})
	v := s.login("alice", ".")
	must(t, v.Mkdir("/d"), store(v, "/d/f", "", storage.CreateOptions{}), store(v, "/g", "x", storage.CreateOptions{Append: true}))
	wantErr(t, "a file more", store(v, "/h", "", storage.CreateOptions{}), storage.ErrQuota)
	wantErr(t, "an append more", store(v, "/h", "", storage.CreateOptions{Append: true}), storage.ErrQuota)
	wantErr(t, "a directory more", v.Mkdir("/h"), storage.ErrQuota)
	must(t, store(v, "/d/f", strings.Repeat("x", 1000), storage.CreateOptions{}), v.Rename("/d/f", "/d/g"))
	s.wantCount(".")
	wantErr(t, "Mkdir of what is there", v.Mkdir("/d"), storage.ErrQuota)
	must(t, v.Remove("/d/g"), v.Rmdir("/d"), v.Mkdir("/h"))
	wantErr(t, "Mkdir of what is there", v.Mkdir("/h"), fs.ErrExist)
	wantErr(t, "Rmdir of nothing", v.Rmdir("/x"), fs.ErrNotExist)
	s.wantCount(".")
	u, err := v.Create("/i", storage.CreateOptions{})
	must(t, err)
	wantErr(t, "a file beside an upload", v.Mkdir("/j"), storage.ErrQuota)
	must(t, u.Abort(), v.Mkdir("/j"))
	s.wantCount(".")
}

// An upload that is refused must leave nothing behind, and may be refused before any data arrive.
func TestRefused(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 100 << 10}})
	v := s.login("alice", "alice")
	must(t, store(v, "/f", "old", storage.CreateOptions{}))
	_, err := v.Create("/g", storage.CreateOptions{Expect: 100 << 10})
	wantErr(t, "announced", err, storage.ErrQuota)
	u, err := v.Create("/f", storage.CreateOptions{Expect: 100 << 10}) // the bytes of the old file will be free then
	must(t, err, u.Abort())
	for _, o := range []storage.CreateOptions{{}, {Append: true}, {Offset: 1}, {Offset: 3}} {
		for _, write := range []func(w io.Writer, r io.Reader) error{
			func(w io.Writer, r io.Reader) error { _, err := io.CopyN(w, r, 1<<20); return err },
			func(w io.Writer, r io.Reader) error { _, err := io.Copy(w, r); return err },
			func(w io.Writer, r io.Reader) error {
				_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, 1000))
				return err
			},
		} {
			u, err := v.Create("/f", o)
			must(t, err)
			err = write(u.Writer(), strings.NewReader(strings.Repeat("x", 1<<20)))
			wantErr(t, "write", err, storage.ErrQuota)
			if storage.Classify(err) != storage.KindQuota {
				t.Errorf("kind %d", storage.Classify(err))
			}
			must(t, u.Abort())
			s.wantCount("alice")
			if got, err := os.ReadFile(filepath.Join(s.root, "alice/f")); err != nil || string(got) != "old" {
				t.Fatalf("after %+v the file holds %d bytes (%v)", o, len(got), err)
			}
		}
	}
}

// A restarted server must know at once what is stored, and must not count what a crash has left.
func TestRestart(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "alice/d/e"), 0o750),
		os.WriteFile(filepath.Join(root, "alice/d/e/f"), []byte("1234567"), 0o600),
		os.Symlink("d/e/f", filepath.Join(root, "alice/link")),
		os.WriteFile(filepath.Join(root, "alice/d/.ftpd-upload-x"), make([]byte, 1000), 0o600))
	s := newServer(t, root, map[string]Limit{"alice": {Bytes: 10, Files: 5}})
	v := s.login("alice", "alice")
	wantErr(t, "too much", store(v, "/g", "1234", storage.CreateOptions{}), storage.ErrQuota)
	must(t, store(v, "/g", "123", storage.CreateOptions{}))
	wantErr(t, "too many", v.Mkdir("/h"), storage.ErrQuota)
	q, err := storage.QuotaOf(v)
	if want := (storage.Quota{LimitBytes: 10, LimitFiles: 5, UsedBytes: 10, UsedFiles: 5}); q != want || err != nil {
		t.Errorf("quota %+v (%v), want %+v", q, err, want)
	}
	must(t, v.Remove("/link"), v.Mkdir("/h"))
	s.wantCount("alice")
	_, err = storage.QuotaOf(s.login("bob", "bob"))
	wantErr(t, "of one who has none", err, errors.ErrUnsupported)
}

// Homes inside one another, and shared homes, must count what any of their users does.
func TestNestedHomes(t *testing.T) {
	root := t.TempDir()
	must(t, os.Mkdir(filepath.Join(root, "b"), 0o750)) // before the count of the home around it begins
	s := newServer(t, root, map[string]Limit{"alice": {Bytes: 20}, "bob": {Bytes: 10}})
	alice, bob, carol := s.login("alice", "."), s.login("bob", "b"), s.login("carol", "b")
	must(t, s.counted("."), s.counted("b"))
	must(t, store(carol, "/c", "12345", storage.CreateOptions{}), store(alice, "/b/a", "1234", storage.CreateOptions{}))
	wantErr(t, "bob", store(bob, "/b", "12", storage.CreateOptions{}), storage.ErrQuota)
	must(t, store(bob, "/b", "1", storage.CreateOptions{}), store(carol, "/more", "12345", storage.CreateOptions{}))
	wantErr(t, "alice", store(alice, "/a", "123456", storage.CreateOptions{}), storage.ErrQuota)
	must(t, store(alice, "/a", "12345", storage.CreateOptions{}))
	s.wantCount(".")
	s.wantCount("b")
	// Files and whole directories are moved in and out.
	must(t, alice.Mkdir("/d"), alice.Rename("/a", "/d/a"), alice.Rename("/b/a", "/d/b"))
	s.wantCount("b")
	must(t, alice.Rename("/d", "/b/d"))
	s.wantCount(".")
	s.wantCount("b")
	must(t, alice.Rename("/b", "/elsewhere"))
	s.wantCount(".")
	must(t, alice.Rename("/elsewhere", "/b"))
	s.wantCount("b")
	must(t, alice.Remove("/b/c"), carol.Remove("/more"))
	s.wantCount(".")
	s.wantCount("b")
}

// A limit must apply from when it is set, also to running uploads.
func TestLimitsChange(t *testing.T) {
	s := newServer(t, t.TempDir(), nil)
	v := s.login("alice", "alice")
	begin := func(name, data string) storage.Upload {
		t.Helper()
		u, err := v.Create(name, storage.CreateOptions{})
		must(t, err)
		_, err = io.WriteString(u.Writer(), data)
		must(t, err)
		return u
	}
	must(t, store(v, "/f", "12345", storage.CreateOptions{}))
	first, second, third := begin("/1", "12345"), begin("/2", "12345"), begin("/3", "12345")
	s.SetLimits(map[string]Limit{"alice": {Bytes: 10, Files: 10}})
	_, err := io.WriteString(third.Writer(), "1")
	wantErr(t, "the third, beside what is stored", err, storage.ErrQuota)
	must(t, third.Abort(), first.Commit())
	wantErr(t, "the second", second.Commit(), storage.ErrQuota)
	s.wantCount("alice")
	if got := held(t, filepath.Join(s.root, "alice")); got != (usage{10, 2}) {
		t.Errorf("on disk: %+v", got)
	}
	s.SetLimits(map[string]Limit{"alice": {Bytes: 1}})
	wantErr(t, "below what is stored", store(v, "/x", "1", storage.CreateOptions{}), storage.ErrQuota)
	must(t, store(v, "/f", "1", storage.CreateOptions{})) // shorter than the old file
	s.SetLimits(nil)
	must(t, store(v, "/x", "12345", storage.CreateOptions{}))
	s.wantCount("alice")
}

// If another server on the same volume removes files, this must be noticed when it matters.
func TestSharedVolume(t *testing.T) {
	limits := map[string]Limit{"alice": {Bytes: 10}}
	root := t.TempDir()
	one := newServer(t, root, limits)
	v := one.login("alice", "alice")
	must(t, store(v, "/f", "1234567890", storage.CreateOptions{}))
	two := newServer(t, root, limits)
	w := two.login("alice", "alice")
	wantErr(t, "the other", store(w, "/g", "1", storage.CreateOptions{}), storage.ErrQuota)
	must(t, w.Remove("/f"))
	wantErr(t, "a count that is fresh", store(v, "/g", "1", storage.CreateOptions{}), storage.ErrQuota)
	one.mu.Lock()
	one.accounts["alice"].began = time.Time{} // the last count was long ago
	one.mu.Unlock()
	must(t, store(v, "/g", "1", storage.CreateOptions{}))
	two.Recount()
	two.wantCount("alice")
	one.wantCount("alice")
	// A home whose count has grown old must be counted again in the background.
	must(t, os.WriteFile(filepath.Join(root, "alice/h"), []byte("123"), 0o600))
	two.mu.Lock()
	two.recountAfter, two.accounts["alice"].began = time.Second, time.Time{}
	two.mu.Unlock()
	must(t, store(w, "/i", "1", storage.CreateOptions{}))
	two.wantCount("alice")
}

func TestAvailable(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 10}, "bob": {Files: 1}, "much": {Bytes: 1 << 62}})
	v := s.login("alice", "alice")
	must(t, store(v, "/f", "1234", storage.CreateOptions{}))
	u, err := v.Create("/g", storage.CreateOptions{})
	must(t, err)
	_, err = io.WriteString(u.Writer(), "12")
	must(t, err)
	if n, err := storage.Available(v, "/"); n != 4 || err != nil {
		t.Errorf("available: %d (%v), want 4", n, err)
	}
	must(t, u.Abort())
	s.SetLimits(map[string]Limit{"alice": {Bytes: 1}})
	if n, err := storage.Available(v, "/"); n != 0 || err != nil {
		t.Errorf("available: %d (%v), want 0", n, err)
	}
	_, err = storage.Available(v, "/absent")
	wantErr(t, "Available of nothing", err, fs.ErrNotExist)
	for _, user := range []string{"bob", "carol", "much"} {
		if n, err := storage.Available(s.login(user, user), "/"); n < 1<<20 || n > 1<<60 || err != nil {
			t.Errorf("%s: available: %d (%v), want what the disk has", user, n, err)
		}
	}
}

// The parts must give the target their bytes.
func TestCombine(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 10, Files: 3}})
	v := s.login("alice", "alice")
	must(t, store(v, "/1", "12345", storage.CreateOptions{}), store(v, "/2", "12345", storage.CreateOptions{}))
	must(t, storage.Combine(t.Context(), v, "/t", []string{"/1", "/2"}))
	s.wantCount("alice")
	if got := held(t, filepath.Join(s.root, "alice")); got != (usage{10, 1}) {
		t.Errorf("on disk: %+v", got)
	}
	wantErr(t, "combine of nothing", storage.Combine(t.Context(), v, "/t", []string{"/1"}), fs.ErrNotExist)
	s.wantCount("alice")
	// At the limit, combining into a new file must be refused, as any growth is; combining into an existing one must
	// not be.
	s.SetLimits(map[string]Limit{"alice": {Bytes: 10, Files: 2}})
	must(t, store(v, "/3", "", storage.CreateOptions{}))
	wantErr(t, "combine to a file more", storage.Combine(t.Context(), v, "/u", []string{"/3"}), storage.ErrQuota)
	must(t, storage.Combine(t.Context(), v, "/t", []string{"/3"}))
	s.wantCount("alice")
}

// The file that a broken upload leaves under its name must count.
func TestKeep(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 10}})
	v := s.login("alice", "alice")
	for _, data := range []string{"123", ""} {
		u, err := v.Create("/f", storage.CreateOptions{})
		must(t, err)
		_, err = io.WriteString(u.Writer(), data)
		must(t, err, u.Keep())
		wantErr(t, "Abort after Keep", u.Abort(), fs.ErrClosed)
		s.wantCount("alice")
	}
	if got := held(t, filepath.Join(s.root, "alice")); got != (usage{3, 1}) {
		t.Errorf("on disk: %+v", got)
	}
}

// brokenFS is a home that can't be read.
type brokenFS struct{ storage.FS }

var errBroken = errors.New("broken")

func (brokenFS) ReadDir(string) (storage.Dir, error) { return nil, errBroken }
func (brokenFS) Close() error                        { return nil }

// A home that can't be counted must accept no more data, but everything else must work.
func TestUncountable(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 10}})
	good := s.open
	s.open = func(string) (storage.FS, error) { return brokenFS{}, nil }
	v := s.login("alice", "alice")
	wantErr(t, "store", store(v, "/f", "1", storage.CreateOptions{}), errBroken)
	wantErr(t, "mkdir", v.Mkdir("/d"), errBroken)
	_, err := storage.QuotaOf(v)
	wantErr(t, "quota", err, errBroken)
	_, err = v.Stat("/")
	must(t, err)
	s.mu.Lock()
	s.open = good
	s.mu.Unlock()
	must(t, store(v, "/f", "1", storage.CreateOptions{}))
	s.wantCount("alice")
	s.Close()
	must(t, store(v, "/g", "1", storage.CreateOptions{}))
	late := s.login("alice", "late")
	wantErr(t, "store after Close", store(late, "/h", "1", storage.CreateOptions{}), s.ctx.Err())
}
