package quota

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// onDisk returns the apparent size of the files in a directory, with temporary files.
func onDisk(t reporter, dir string) (bytes int64) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".ftpd-append-") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		bytes += info.Size()
		return nil
	}))
	return bytes
}

// begin starts an upload and writes size bytes to it.
func begin(v storage.FS, name string, size int, o storage.CreateOptions) (storage.Upload, error) {
	u, err := v.Create(name, o)
	if err != nil {
		return nil, err
	}
	if _, err := u.Writer().Write(make([]byte, size)); err != nil {
		return nil, errors.Join(err, u.Abort())
	}
	return u, nil
}

// Of concurrent uploads that replace the same file only one may use its bytes, whichever ends first, in whatever way,
// and whatever happens to the file.
func TestOneOverwritePerName(t *testing.T) {
	const limit = 20
	for _, between := range []string{"nothing", "remove", "rename away", "rename over", "shorten", "directory"} {
		t.Run(between, func(t *testing.T) {
			s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: limit, Files: 3}})
			v, w := s.login("alice", "alice"), s.login("alice", "alice")
			must(t, v.Mkdir("/d"), store(v, "/d/x", strings.Repeat("x", limit), storage.CreateOptions{}))
			first, err := begin(v, "/d/x", limit-1, storage.CreateOptions{})
			must(t, err)
			_, err = begin(w, "/d/x", 1, storage.CreateOptions{})
			wantErr(t, "a second overwrite", err, storage.ErrBusy)
			dir := "/d"
			switch between {
			case "remove":
				must(t, w.Remove("/d/x"))
			case "rename away":
				must(t, w.Rename("/d/x", "/x"))
				_, err = first.Writer().Write(make([]byte, 1))
				wantErr(t, "growth without the file", err, storage.ErrQuota)
			case "rename over":
				must(t, w.Rename("/d/x", "/y"), w.Rename("/y", "/d/x"))
			case "shorten":
				must(t, store(w, "/d/x", "", storage.CreateOptions{}))
			case "directory":
				must(t, w.Rename("/d", "/e"))
				dir = "/e"
			}
			// Whatever happened to the file, what the first upload holds must not be free for another one.
			for _, name := range []string{dir + "/x", "/z"} {
				if u, err := begin(w, name, 2, storage.CreateOptions{}); err == nil {
					t.Errorf("%s: two bytes more were let in", name)
					must(t, u.Abort())
				}
			}
			if n := onDisk(t, s.root); n > 2*limit {
				t.Errorf("%d bytes are on the disk, of %d", n, limit)
			}
			must(t, first.Abort())
			if between != "rename away" {
				must(t, store(w, dir+"/x", strings.Repeat("y", limit), storage.CreateOptions{}))
			}
			s.wantCount("alice")
		})
	}
}

// Repeated renames of the file that is being replaced must give its bytes away only once.
func TestOverwritesOfRenamed(t *testing.T) {
	const limit = 20
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: limit}})
	v := s.login("alice", "alice")
	must(t, store(v, "/0", strings.Repeat("x", limit), storage.CreateOptions{}))
	for i := range 5 {
		if u, err := begin(v, fmt.Sprint("/", i), limit, storage.CreateOptions{}); err == nil {
			t.Cleanup(func() { _ = u.Abort() })
		}
		must(t, v.Rename(fmt.Sprint("/", i), fmt.Sprint("/", i+1)))
	}
	if n := onDisk(t, s.root); n > 2*limit {
		t.Errorf("%d bytes are on the disk, of %d", n, limit)
	}
}

// Removing a file of which uploads keep a part, and which they therefore have open, must not give its bytes away.
func TestPartsOfRemoved(t *testing.T) {
	const limit = 20
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: limit}})
	v := s.login("alice", "alice")
	for range 5 {
		if err := store(v, "/x", strings.Repeat("x", limit-2), storage.CreateOptions{}); err != nil {
			wantErr(t, "another", err, storage.ErrQuota)
			break
		}
		u, err := begin(v, "/x", 0, storage.CreateOptions{Offset: 1})
		must(t, err)
		t.Cleanup(func() { _ = u.Abort() })
		must(t, v.Remove("/x"))
	}
	if n := onDisk(t, s.root) + unnamed(t, s.root); n > 2*limit {
		t.Errorf("%d bytes are on the disk, of %d", n, limit)
	}
}

// When the first upload ends, the waiting one must get its claim.
func TestClaimIsPassedOn(t *testing.T) {
	for _, how := range []string{"abort", "commit"} {
		s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 20, Files: 2}})
		v := s.login("alice", "alice")
		must(t, store(v, "/x", strings.Repeat("x", 15), storage.CreateOptions{}))
		first, err := begin(v, "/x", 15, storage.CreateOptions{})
		must(t, err)
		second, err := begin(v, "/x", 5, storage.CreateOptions{})
		must(t, err)
		_, err = second.Writer().Write(make([]byte, 1))
		wantErr(t, "a byte more than is free", err, storage.ErrBusy)
		if how == "abort" {
			must(t, first.Abort())
		} else {
			must(t, first.Commit())
		}
		_, err = second.Writer().Write(make([]byte, 15))
		must(t, err)
		must(t, second.Commit())
		s.wantCount("alice")
	}
}

// Parts that are combined concurrently must give their bytes to one of the targets only.
func TestCombineGivesOnce(t *testing.T) {
	const parts = 18
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 20}})
	v := s.login("alice", "alice")
	for round := range 30 {
		must(t, store(v, "/part", strings.Repeat("x", parts), storage.CreateOptions{}))
		var group sync.WaitGroup
		for i := range 4 {
			w := s.login("alice", "alice")
			group.Go(func() {
				err := storage.Combine(t.Context(), w, fmt.Sprint("/t", i), []string{"/part"})
				if err != nil && !errors.Is(err, storage.ErrQuota) && !errors.Is(err, storage.ErrBusy) && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := held(t, s.root); got.bytes > 20 {
			t.Fatalf("round %d: the home holds %d bytes", round, got.bytes)
		}
		for i := range 4 {
			_ = v.Remove(fmt.Sprint("/t", i))
		}
		_ = v.Remove("/part")
	}
	s.wantCount("alice")
}

// A link that is combined must free nothing, and parts that can't be removed must free their bytes at most once.
func TestCombineOfWhatStays(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 20}})
	v := s.login("alice", "alice")
	must(t, store(v, "/x", strings.Repeat("x", 15), storage.CreateOptions{}))
	must(t, os.Symlink("x", filepath.Join(s.root, "alice/link")))
	s.Recount()
	wantErr(t, "a link's target twice", storage.Combine(t.Context(), v, "/t", []string{"/link"}), storage.ErrQuota)
	must(t, v.Remove("/link"))
	s.wantCount("alice")
	stay := &staying{FS: v.(*view).FS}
	v.(*view).FS = stay
	wantErr(t, "the first", storage.Combine(t.Context(), v, "/t", []string{"/x"}), storage.ErrPartsRemain)
	for range 3 {
		wantErr(t, "one more", storage.Combine(t.Context(), v, "/t", []string{"/x"}), storage.ErrQuota)
	}
	s.wantCount("alice")
}

// staying is an FS whose Remove removes nothing.
type staying struct{ storage.FS }

func (s *staying) Remove(string) error { return fs.ErrPermission }

// Whatever several users of a home do concurrently, the disk must hold no more than the quota plus, for each file
// that is being replaced or removed, its size once more. When all has ended, or after a crash, it must hold no more
// than the quota. Open files without a name are on the disk, too. Several operations run between two checks of the
// disk.
func TestBoundOfTheDisk(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		root, err := os.MkdirTemp(base, "") //nolint:usetesting // one for each of many runs
		must(rt, err)
		limit := rapid.Int64Range(10, 60).Draw(rt, "limit")
		local, err := storage.NewLocal(root)
		must(rt, err)
		local.Configure(storage.Options{NoSync: true})
		s := &server{t: t, root: root, local: local,
			Registry: New(func(home string) (storage.FS, error) { return local.Home(home, false) }, quiet)}
		s.SetLimits(map[string]Limit{"alice": {Bytes: limit, Files: 10}, "bob": {Bytes: limit, Files: 10}})
		workers := make([]*worker, 4)
		for i := range workers {
			v, err := local.Home(".", false)
			must(rt, err)
			workers[i] = &worker{v: s.View(v, []string{"alice", "bob"}[i%2], ".")}
		}
		defer func() {
			s.Close()
			for _, w := range workers {
				must(rt, w.v.Close())
			}
			must(rt, local.Close(), os.RemoveAll(root))
		}()
		must(rt, s.counted("."))
		for range rapid.IntRange(1, 12).Draw(rt, "rounds") {
			var group sync.WaitGroup
			for _, w := range workers {
				steps := rapid.SliceOfN(rapid.Custom(drawStep), 0, 4).Draw(rt, "steps")
				group.Go(func() {
					for _, step := range steps {
						w.do(rt.Context(), step)
					}
				})
			}
			group.Wait()
			s.mu.Lock()
			a := s.accounts["."]
			over := a.used.plus(a.reserved).bytes - limit // what renames have taken from running uploads
			may := limit + max(0, over)
			for _, c := range s.claims {
				may += c.of.bytes
			}
			s.mu.Unlock()
			if got := onDisk(rt, root) + unnamed(rt, root); got > may || over > limit {
				rt.Fatalf("%d bytes are on the disk, of %d that may be, %d over the limit", got, may, over)
			}
		}
		if rapid.Bool().Draw(rt, "crash") {
			crash(rt, s, workers, limit)
			return
		}
		for _, w := range workers {
			w.end()
		}
		s.settled(".")
		s.mu.Lock()
		a := *s.accounts["."]
		s.mu.Unlock()
		if got := held(rt, root); got != a.used || got.bytes > limit || got.files > 10 || a.reserved != (usage{}) || a.ahead != 0 {
			rt.Fatalf("on the disk is %+v, counted %+v, reserved %+v, the limit is %d", got, a.used, a.reserved, limit)
		}
		if len(s.readings) != 0 || len(s.claims) != 0 || len(s.running) != 0 || len(s.appends) != 0 || len(s.locks.held) != 0 {
			rt.Fatalf("left: %d claims, %d uploads, %d appends, %d locks", len(s.claims), len(s.running), len(s.appends), len(s.locks.held))
		}
	})
}

// crash closes what the server has open and does nothing else, as kill -9 does, and starts another server on what is
// left.
func crash(t reporter, s *server, workers []*worker, limit int64) {
	t.Helper()
	s.settled(".")
	closeAll(t, s.root)
	left := onDisk(t, s.root)
	local, err := storage.NewLocal(s.root)
	must(t, err)
	next := &server{root: s.root, local: local, Registry: New(func(home string) (storage.FS, error) { return local.Home(home, false) }, quiet)}
	next.SetLimits(s.limits)
	defer func() {
		next.Close()
		must(t, local.Close())
		for _, w := range workers {
			w.end()
		}
	}()
	must(t, next.counted("."))
	_, err = local.Sweep(context.Background())
	must(t, err)
	next.Recount()
	next.settled(".")
	next.mu.Lock()
	defer next.mu.Unlock()
	got, used := held(t, s.root), next.accounts["."].used
	if got != used || got.bytes != onDisk(t, s.root) || got.bytes > limit || got.bytes > left {
		t.Fatal(fmt.Sprintf("after a crash the disk holds %+v, counted is %+v; the limit is %d, and there were %d bytes", got, used, limit, left))
	}
}

// closeAll replaces all descriptors of this process for files in a directory, and so releases their locks. The owners
// of the descriptors can still close them.
func closeAll(t reporter, dir string) {
	t.Helper()
	null, err := os.Open(os.DevNull)
	must(t, err)
	defer null.Close() //nolint:errcheck // nothing was written
	open, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, e := range open {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || target != dir && !strings.HasPrefix(target, dir+"/") {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		must(t, err, unix.Dup3(int(null.Fd()), fd, unix.O_CLOEXEC))
	}
}
