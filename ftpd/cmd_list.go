package ftpd

import (
	"bufio"
	"io"
	"net"
	"path"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// cmdList lists as ls -l does.
func (s *session) cmdList(arg string) {
	now, view := time.Now(), s.fs
	s.listEntries("LIST", arg, false, func(t *target, w *bufio.Writer) error {
		return t.walk(view, func(e entry) error { return writeEntry(w, appendLsLine(w.AvailableBuffer(), e, now)) })
	})
}

// cmdNlst lists names that RETR takes (RFC 1123 section 4.1.2.7).
func (s *session) cmdNlst(arg string) {
	s.listEntries("NLST", arg, true, func(t *target, w *bufio.Writer) error {
		return t.walkNames(func(name string) error {
			return writeEntry(w, append(append(w.AvailableBuffer(), t.prefix...), name...))
		})
	})
}

func (s *session) listEntries(verb, arg string, namesOnly bool, write func(*target, *bufio.Writer) error) {
	arg, itself := splitFlags(arg, s.fileThere)
	t, err := locate(s.fs, s.names, s.cwd, arg, itself)
	if err == nil {
		err = t.open(s.fs, namesOnly)
	}
	if err != nil {
		s.refuse(arg, err)
		return
	}
	s.start(listingJob(verb, &t, func(w *bufio.Writer) error { return write(&t, w) }))
}

// writeEntry writes a line, and its end. The line is best appended to w.AvailableBuffer, which
// spares a copy.
func writeEntry(w *bufio.Writer, line []byte) error {
	_, err := w.Write(append(line, '\r', '\n'))
	return err
}

// cmdMlsd lists a directory's facts for programs (RFC 3659 section 7).
func (s *session) cmdMlsd(arg string) {
	name, self, ok := s.stat(arg)
	if !ok {
		return
	}
	if !self.IsDir() {
		s.reply(501, name+": not a directory; use MLST.") // section 7.2.1
		return
	}
	view, f := s.fs, newFacts(s.facts, s.rights())
	t := &target{Names: s.names, dir: name}
	if err := t.open(view, false); err != nil {
		s.refuse(name, err)
		return
	}
	s.start(listingJob("MLSD", t, func(w *bufio.Writer) error {
		line := func(e entry, kind string) error { return writeEntry(w, f.append(w.AvailableBuffer(), e, kind)) }
		if f.set&factType != 0 { // without it, these could be taken for entries
			if err := line(entry{name: ".", info: self}, "cdir"); err != nil {
				return err
			}
			if parent, err := view.Stat(path.Dir(name)); err == nil && name != "/" {
				if err := line(entry{name: "..", info: parent}, "pdir"); err != nil {
					return err
				}
			}
		}
		return t.walk(view, func(e entry) error { return line(e, "") })
	}))
}

// cmdMlst gives the facts of one file or directory over the control connection.
func (s *session) cmdMlst(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	e, err := lookUp(s.names, s.fs, name)
	if err != nil {
		s.refuse(name, err)
		return
	}
	f := newFacts(s.facts, s.rights())
	line := f.append(nil, e, "")
	s.out.ReplyLines(250, "Listing "+name, []string{string(line)}, "End")
}

// listBuffer is how much is gathered of a listing, and smallListBuffer where memory is short.
const listBuffer, smallListBuffer = 64 << 10, 4 << 10

// listWriters gather lines of listings.
var listWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, listBuffer) }}

// takeListWriter returns a writer to w. put gives it back.
func takeListWriter(to io.Writer) (w *bufio.Writer, put func()) {
	if !largeBuffers.take() {
		return bufio.NewWriterSize(to, smallListBuffer), func() {}
	}
	w = listWriters.Get().(*bufio.Writer)
	w.Reset(to)
	return w, func() {
		w.Reset(nil)
		listWriters.Put(w)
		largeBuffers.give()
	}
}

// listingJob is a job that sends lines, which always end with CR LF, about an opened target.
func listingJob(verb string, t *target, write func(*bufio.Writer) error) job {
	name := t.dir
	if name == "" {
		name = t.single.name
	}
	return job{
		verb: verb, path: name, size: -1, quiet: true,
		opening: "Opening data connection for the listing of " + name + ".",
		done:    "Listing complete.",
		closed:  t.close,
		move: func(tr *transfer, conn net.Conn) error {
			return tr.send(conn, func(to io.Writer) error {
				w, put := takeListWriter(to)
				defer put()
				if err := write(w); err != nil {
					return err
				}
				return w.Flush()
			})
		},
	}
}

// statLines lists an opened target for STAT, over the control connection.
func statLines(view storage.FS, t *target, line func(string) error) error {
	now := time.Now()
	return t.walk(view, func(e entry) error { return line(string(appendLsLine(nil, e, now))) })
}

// mlstFeature lists the facts, those that are sent marked with an asterisk.
func mlstFeature(s *session) string { return s.facts.feature() }
