package quota

import (
	"context"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// step is something that a session may do. Which fields matter depends on what.
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
			"remove", "rename", "move", "combine", "mkdir", "rmdir", "recount",
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

// worker is a session with the uploads that it has begun and not ended.
type worker struct {
	v       storage.FS
	uploads []storage.Upload
}

// do does a step. What it may not do is refused, and what others do meanwhile may be in its way.
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
	case "recount":
		w.v.(*view).r.Recount()
	default:
		w.carry(s)
	}
}

// carry goes on with the upload that was begun first.
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

// end aborts every upload.
func (w *worker) end() {
	for _, u := range w.uploads {
		_ = u.Abort()
	}
	w.uploads = nil
}
