package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
)

// ordering makes keepsOrder give this answer until the test ends.
func ordering(t *testing.T, ordered bool) {
	t.Helper()
	really := keepsOrder
	keepsOrder = func(*os.File, uint64) bool { return ordered }
	t.Cleanup(func() { keepsOrder = really })
}

// heldSync is a sync that a test lets end.
type heldSync struct {
	mu    sync.Mutex
	begun int
	end   chan error
}

func (s *heldSync) do() error {
	s.mu.Lock()
	s.begun++
	s.mu.Unlock()
	err := <-s.end
	if err != nil && strings.HasPrefix(err.Error(), "panic") {
		panic(err)
	}
	return err
}

// join starts n callers of the group, and collects what they get.
func (s *heldSync) join(g *syncGroup, id fileID, n int, got *[]error) {
	for range n {
		go func() {
			var err error
			defer func() {
				if r := recover(); r != nil {
					err = r.(error)
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				*got = append(*got, err)
			}()
			err = g.do(id, s.do)
		}()
		synctest.Wait()
	}
}

// Who comes while a sync runs must get one that begins later, together with all others who came, and its error.
func TestSyncGroup(t *testing.T) {
	for _, fails := range []error{nil, syscall.EIO, errors.New("panic")} {
		synctest.Test(t, func(t *testing.T) {
			var g syncGroup
			s := &heldSync{end: make(chan error)}
			var first, second, third []error
			s.join(&g, fileID{1, 1}, 1, &first)
			s.join(&g, fileID{1, 1}, 3, &second)
			if s.begun != 1 {
				t.Fatalf("%d syncs have begun, want the first caller's alone", s.begun)
			}
			s.end <- nil
			synctest.Wait()
			s.join(&g, fileID{1, 1}, 2, &third) // too late for the sync that runs now
			if s.begun != 2 || len(first) != 1 || len(second) != 0 {
				t.Fatalf("%d syncs have begun, %d and %d callers are back; want 2, 1 and 0", s.begun, len(first), len(second))
			}
			s.end <- fails
			synctest.Wait()
			if s.begun != 3 || len(second) != 3 || len(third) != 0 {
				t.Fatalf("%d syncs have begun, %d and %d callers are back; want 3, 3 and 0", s.begun, len(second), len(third))
			}
			for _, err := range second {
				// If the one who syncs panics, the others must not take it for a success.
				if (err == nil) != (fails == nil) || errors.Is(fails, syscall.EIO) && !errors.Is(err, fails) {
					t.Errorf("a caller got %v where the sync ended with %v", err, fails)
				}
			}
			s.end <- nil
			synctest.Wait()
			if errors.Join(append(first, third...)...) != nil || len(third) != 2 || len(g.next) != 0 {
				t.Errorf("the others got %v and %v; entries left: %d", first, third, len(g.next))
			}
		})
	}
}

// Nobody waits for the sync of another directory.
func TestSyncGroupOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g syncGroup
		s := &heldSync{end: make(chan error)}
		var got []error
		for _, id := range []fileID{{1, 1}, {1, 2}, {2, 1}} {
			s.join(&g, id, 1, &got)
		}
		if s.begun != 3 {
			t.Errorf("%d syncs run, want 3", s.begun)
		}
		for range 3 {
			s.end <- nil
			synctest.Wait()
		}
		if len(got) != 3 {
			t.Errorf("%d callers are back", len(got))
		}
	})
}

// A disk that fails when the directory is synced must not let an upload be acknowledged.
func TestSyncOfTheDirectoryFails(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("ordered %v", ordered), func(t *testing.T) {
			ordering(t, ordered)
			v, _ := newHome(t)
			oldFile(t, v)
			watchSyncs(t, func(name string) error {
				if name == "." {
					return syscall.EIO
				}
				return nil
			})
			for what, o := range map[string]CreateOptions{"store": {}, "resume": {Offset: 2}, "append": {Append: true}} {
				wantErr(t, what, upload(v, "/f", "67", o), syscall.EIO)
			}
			wantErr(t, "mkdir", v.Mkdir("/d"), syscall.EIO)
		})
	}
}

// A file that is a mount point is on a file system of its own, of which the directory's says nothing.
func TestSyncDataOfAMountPoint(t *testing.T) {
	ordering(t, true)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o600))
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close() //nolint:errcheck // a test's
	c, err := openCommit(root, ".")
	must(t, err)
	defer c.close()
	f, err := root.Open("f")
	must(t, err)
	defer f.Close() //nolint:errcheck // a test's
	synced := watchSyncs(t, nil)
	must(t, c.syncData(f))
	c.id.device++
	must(t, c.syncData(f))
	if got := strings.Join(synced(), ", "); got != "f written, f" {
		t.Errorf("synced %q", got)
	}
}
