package listing

import (
	"bufio"
	"io/fs"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// Format is how the lines of a listing look.
type Format interface {
	// Line appends the line of an entry to b, without its end.
	Line(b []byte, e Entry) []byte
	// look identifies the format: formats with the same look write the same lines, within the time that spans returns.
	look() any
	// at is the time at which the lines are written, and spans the time in which the line of info, which is not a link, is the
	// same as at that time, including both ends.
	at() time.Time
	spans(info fs.FileInfo) (since, until time.Time)
}

// Ls is the format of LIST at the time Now; see AppendLine.
type Ls struct{ Now time.Time }

// Line implements Format.
func (l Ls) Line(b []byte, e Entry) []byte { return AppendLine(b, e, l.Now) }

func (l Ls) look() any     { return Ls{} }
func (l Ls) at() time.Time { return l.Now }

func (l Ls) spans(info fs.FileInfo) (since, until time.Time) {
	since, until = recent(info.ModTime())
	switch {
	case l.Now.Before(since):
		return distantPast, since.Add(-1)
	case l.Now.After(until):
		return until.Add(1), distantFuture
	}
	return since, until
}

// Line implements Format.
func (f *FactWriter) Line(b []byte, e Entry) []byte { return f.Append(b, e, "") }

func (f *FactWriter) look() any     { return *f }
func (f *FactWriter) at() time.Time { return time.Time{} }

// spans returns all times: the lines are the same at each.
func (f *FactWriter) spans(fs.FileInfo) (since, until time.Time) { return distantPast, distantFuture }

var distantPast, distantFuture = time.Unix(-1<<40, 0), time.Unix(1<<40, 0)

// lineEnd ends each line, whatever the type of the transfer.
const lineEnd = "\r\n"

// textKey says which text of a page is meant.
type textKey struct {
	look    any
	charset *charmap.Charmap // of the names
}

// WriteLines writes a line for every entry of the target, which the caller has opened with namesOnly false. Its errors
// are those of Walk and of w. Of entries whose text is kept in memory, the text is written as it is.
func (t *Target) WriteLines(view storage.FS, w *bufio.Writer, f Format) error {
	key, at := any(textKey{f.look(), t.Charset}), f.at()
	for t.pattern == "" {
		page := t.takePage()
		if page == nil {
			break
		}
		text, ok := page.Text(key, at)
		if !ok {
			var since, until time.Time
			text, since, until = t.text(page, f)
			page.Keep(key, text, since, until)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return t.Walk(view, func(e Entry) error {
		_, err := w.Write(append(f.Line(w.AvailableBuffer(), e), lineEnd...)) // to append to w's own buffer saves a copy
		return err
	})
}

// text returns the lines of a page, and the time in which they are the same.
func (t *Target) text(page storage.Page, f Format) (b []byte, since, until time.Time) {
	since, until = distantPast, distantFuture
	page.Each(func(info fs.FileInfo) {
		b = append(f.Line(b, Entry{Name: t.Show(info.Name()), Info: info}), lineEnd...)
		from, to := f.spans(info)
		if from.After(since) {
			since = from
		}
		if to.Before(until) {
			until = to
		}
	})
	return append(make([]byte, 0, len(b)), b...), since, until // it may be kept, so it takes no more than it needs
}
