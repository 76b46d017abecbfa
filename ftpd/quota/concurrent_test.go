package quota

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

type slowReader struct {
	data  []byte
	taken int
	check func(taken int)
}

func (r *slowReader) Read(p []byte) (int, error) {
	r.check(r.taken)
	if r.taken == len(r.data) {
		return 0, io.EOF
	}
	n := copy(p, r.data[r.taken:min(len(r.data), r.taken+10_000)])
	r.taken += n
	return n, nil
}

// Of many concurrent uploads that fit exactly, all must be stored. With a quota one byte smaller, not all may be, and
// the quota must never be exceeded.
func TestConcurrentUploads(t *testing.T) {
	const uploads, size = 16, 150_000
	for _, limit := range []int64{uploads * size, uploads*size - 1, uploads * size / 2} {
		s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: limit}})
		var group sync.WaitGroup
		var mu sync.Mutex
		stored := 0
		for i := range uploads {
			v := s.login("alice", "alice")
			group.Go(func() {
				err := store(v, fmt.Sprintf("/f%d", i), strings.Repeat("x", size), storage.CreateOptions{})
				if err != nil && !errors.Is(err, storage.ErrQuota) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					stored++
				}
			})
		}
		group.Wait()
		got := held(t, filepath.Join(s.root, "alice"))
		if got.bytes > limit || got != (usage{int64(stored) * size, int64(stored)}) || (stored == uploads) != (limit == uploads*size) {
			t.Errorf("limit %d: %d were stored, on disk is %+v", limit, stored, got)
		}
		s.wantCount("alice")
	}
}

// Counts that are made during changes must be exact.
func TestCountsAmidChanges(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 1 << 30, Files: 1 << 20}, "bob": {Bytes: 1 << 30}})
	stop := make(chan struct{})
	var changers, counter sync.WaitGroup
	for i := range 4 {
		v := s.login([]string{"alice", "bob", "carol"}[i%3], []string{".", "d0"}[i%2])
		changers.Go(func() {
			for n := range 60 {
				dir := fmt.Sprintf("/d%d", n%3)
				name := fmt.Sprintf("%s/f%d", dir, n%5)
				data := strings.Repeat("x", n*i)
				// An operation may fail because of the other goroutines; the counts must be correct all the same.
				_ = v.Mkdir(dir)
				_ = v.Mkdir(name + "-d")
				_ = store(v, name, data, storage.CreateOptions{})
				_ = store(v, name, data, storage.CreateOptions{Append: true})
				_ = v.Rename(name, name+"-moved")
				_ = store(v, name+"-d/f", data, storage.CreateOptions{})
				if n%7 == 0 {
					_ = v.Rename(name+"-d", fmt.Sprintf("/d%d/moved%d", (n+1)%3, n))
				}
				_ = v.Remove(name + "-d/f")
				_ = v.Rmdir(name + "-d")
				_ = v.Remove(name)
			}
		})
	}
	counter.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			s.Recount()
			for _, home := range []string{".", "d0"} {
				must(t, s.counted(home))
			}
		}
	})
	changers.Wait()
	close(stop)
	counter.Wait()
	s.wantCount(".")
	s.wantCount("d0")
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.locks.held) != 0 || len(s.appends) != 0 {
		t.Errorf("left: %d locks, %d appends", len(s.locks.held), len(s.appends))
	}
}
