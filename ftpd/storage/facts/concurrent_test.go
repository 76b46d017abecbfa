//go:build linux

package facts

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Listings at the same time, while files are replaced, never show a file that never was, or a name twice. At the end they
// show what is on the disk.
func TestConcurrentListings(t *testing.T) {
	t.Parallel()
	c, ahead := newCache(t)
	dirs := filled(t, 2, 0)
	dir, beside := dirs[0], dirs[1]
	const files = 50
	// A file has as many bytes as its time has seconds.
	put := func(writer, n int, size int64) {
		temp := filepath.Join(beside, fmt.Sprint(writer))
		when := time.Unix(size, 0)
		must(t, os.WriteFile(temp, make([]byte, size), 0o600), os.Chtimes(temp, when, when), os.Rename(temp, filepath.Join(dir, fmt.Sprint("file-", n))))
	}
	for n := range files {
		put(0, n, 1)
	}
	ending, listers, writers := make(chan struct{}), sync.WaitGroup{}, sync.WaitGroup{}
	for range 4 {
		listers.Go(func() {
			for rounds := 0; ; rounds++ {
				select {
				case <-ending:
					return
				default:
				}
				s := open(t, c, dir)
				if s == nil {
					continue
				}
				found := contents(t, s)
				if len(found) != files {
					t.Errorf("%d names", len(found))
				}
				for name, is := range found {
					if is.size != is.modified.Unix() || is.mode != fs.FileMode(0o600) {
						t.Errorf("%q is torn: %+v", name, is)
					}
				}
				for _, p := range s.pages {
					if p == nil {
						continue
					}
					sum := int64(0)
					p.Each(func(info fs.FileInfo) { sum = 31*sum + info.Size() })
					if b, ok := p.Text("sum", time.Now()); !ok {
						p.Keep("sum", strconv.AppendInt(nil, sum, 10), time.Time{}, time.Now().Add(time.Hour))
					} else if string(b) != strconv.FormatInt(sum, 10) {
						t.Error("a text is not of its page")
					}
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			chance := rand.New(rand.NewPCG(1, uint64(w))) //nolint:gosec // to be foreseen
			for range 500 {
				put(w, w+2*chance.IntN(files/2), 1+chance.Int64N(4000))
			}
		})
	}
	writers.Wait()
	close(ending)
	listers.Wait()
	ahead.move(settled) // the directory may have been read in vain twice
	for range 3 {
		if s := open(t, c, dir); s != nil {
			same(t, contents(t, s), onDisk(t, dir))
		}
	}
	if c.Served() == 0 {
		t.Error("nothing was served from memory")
	}
}
