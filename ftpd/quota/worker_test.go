package quota

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// step is something that a session may do. Its kind decides which fields matter.
type step struct {
	what     string
	from, to string
	n        int
	o        storage.CreateOptions
}

var names = rapid.SampledFrom([]string{"/a", "/b", "/c", "/d/a", "/d/b"})

func drawStep(t *rapid.T) step {
	return step{
		what: rapid.SampledFrom([]string{
			"begin", "begin", "begin", "write", "write", "write", "commit", "commit", "keep", "abort",
			"remove", "rename", "move", "combine", "mkdir", "rmdir", "recount", "open", "open", "close",
		}).Draw(t, "what"),
		from: names.Draw(t, "from"),
		to:   names.Draw(t, "to"),
		n:    rapid.IntRange(0, 30).Draw(t, "n"),
		o: storage.CreateOptions{
			Append:    rapid.IntRange(0, 3).Draw(t, "append") == 0,
			Offset:    rapid.SampledFrom([]int64{0, 0, 0, 1, 5}).Draw(t, "offset"),
			Exclusive: rapid.IntRange(0, 7).Draw(t, "exclusive") == 0,
			Expect:    rapid.SampledFrom([]int64{0, 0, 5, 50}).Draw(t, "expect"),
		},
	}
}

// worker is a session with its running uploads and downloads.
type worker struct {
	v         storage.FS
	uploads   []storage.Upload
	downloads []storage.File
}

// do does a step. An operation that is not allowed must be refused; one may also fail because of other sessions.
func (w *worker) do(ctx context.Context, s step) {
	switch s.what {
	case "begin":
		if u, err := begin(w.v, s.from, s.n, s.o); err == nil {
			w.uploads = append(w.uploads, u)
		}
	case "remove":
		_ = w.v.Remove(s.from)
	case "rename":
		_ = w.v.Rename(s.from, s.to)
	case "move":
		_ = w.v.Rename("/d", "/e")
		_ = w.v.Rename("/e", "/d")
	case "combine":
		_ = storage.Combine(ctx, w.v, s.to, []string{s.from})
	case "mkdir":
		_ = w.v.Mkdir("/d")
	case "rmdir":
		_ = w.v.Rmdir("/d")
	case "open":
		if f, err := w.v.Open(s.from); err == nil {
			w.downloads = append(w.downloads, f)
		}
	case "close":
		if len(w.downloads) > 0 {
			_ = w.downloads[0].Close()
			w.downloads = w.downloads[1:]
		}
	case "recount":
		w.v.(*view).r.Recount()
	default:
		w.carry(s)
	}
}

// carry continues the upload that began first.
func (w *worker) carry(s step) {
	if len(w.uploads) == 0 {
		return
	}
	u := w.uploads[0]
	var err error
	switch s.what {
	case "write":
		if _, err = u.Writer().Write(make([]byte, s.n)); err == nil {
			return
		}
		_ = u.Abort()
	case "commit":
		_ = u.Commit()
	case "keep":
		_ = u.Keep()
	case "abort":
		_ = u.Abort()
	}
	w.uploads = w.uploads[1:]
}

// end aborts every upload and every download.
func (w *worker) end() {
	for _, u := range w.uploads {
		_ = u.Abort()
	}
	w.quit()
	w.uploads = nil
}

// quit ends every download.
func (w *worker) quit() {
	for _, f := range w.downloads {
		_ = f.Close()
	}
	w.downloads = nil
}

// unnamed returns the size of the files of a directory that have no name any more and that this process has open.
func unnamed(t reporter, dir string) (bytes int64) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	seen := map[inode]bool{}
	for _, e := range open {
		link := "/proc/self/fd/" + e.Name()
		name, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(name, dir+"/") || strings.HasPrefix(filepath.Base(name), ".ftpd-append-") {
			continue
		}
		info, err := os.Stat(link)
		if err != nil {
			continue // a running count has closed it
		}
		if id, names, ok := inodeOf(info); ok && names == 0 && !seen[id] {
			seen[id] = true
			bytes += info.Size()
		}
	}
	return bytes
}
