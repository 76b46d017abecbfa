package ftpd

import (
	"bufio"
	"io"
	"net"
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// content is what a transfer moves over its data connection, and what becomes of it. The transfer calls move once, at
// most one of commit and drop after it, and close last. A content that can be sent in one piece may later
// have a method more for that; the transfer is the one to choose between the ways.
type content interface {
	// move moves all of it.
	move(t *transfer, conn net.Conn) error
	// commit makes it durable, after move has succeeded. If that fails, commit gives up what was stored.
	commit() error
	// drop gives up what was stored, in place of commit. brokeOff: the client or its connection ended the transfer, so what
	// has come may be worth keeping.
	drop(brokeOff bool)
	// close gives back what it holds.
	close()
}

// download is a file, or a part of it.
type download struct {
	file storage.File
	// offset is where the file stands, and size how many octets of it are sent.
	offset, size int64
	// text: TYPE A; all from the offset on is sent.
	text bool
}

func (d *download) move(t *transfer, conn net.Conn) error {
	switch {
	case d.text:
		return t.send(conn, func(w io.Writer) error { return toNetwork(w, d.file) })
	case t.coding.deflate:
		return t.send(conn, func(w io.Writer) error { return copyPart(w, d.file, d.size) })
	default:
		return sendFile(t, conn, d.file, d.offset, d.size)
	}
}

func (d *download) commit() error { return nil }
func (d *download) drop(bool)     {}
func (d *download) close()        { _ = d.file.Close() }

// upload is what a client sends, and where it goes.
type upload struct {
	storage.Upload
	text bool // TYPE A
	// keeps: what has come of an upload that broke off is kept, so that the client can resume it.
	keeps bool
}

func (u *upload) move(t *transfer, conn net.Conn) error {
	switch {
	case u.text:
		return t.receive(conn, func(r io.Reader) error { return fromNetwork(u.Writer(), r) })
	case t.coding.deflate:
		return t.receive(conn, func(r io.Reader) error { return storeAll(u.Writer(), r) })
	default:
		return receiveFile(t, conn, u.Writer())
	}
}

func (u *upload) commit() error { return u.Commit() }

// drop ignores errors: the client is told of the break in either case.
func (u *upload) drop(brokeOff bool) {
	if u.keeps && brokeOff {
		_ = u.Keep()
	} else {
		_ = u.Abort()
	}
}

func (u *upload) close() {}

// lines are the lines of a listing. write writes them, each ended by CR LF; closed is called last.
type lines struct {
	write  func(*bufio.Writer) error
	closed func()
}

func (l *lines) move(t *transfer, conn net.Conn) error {
	return t.send(conn, func(to io.Writer) error {
		w, put := takeListWriter(to)
		defer put()
		if err := l.write(w); err != nil {
			return err
		}
		return w.Flush()
	})
}

func (l *lines) commit() error { return nil }
func (l *lines) drop(bool)     {}
func (l *lines) close()        { l.closed() }

// listBuffer is how much is gathered of a listing, and smallListBuffer where memory is short.
const listBuffer, smallListBuffer = 64 << 10, 4 << 10

// listWriters gather lines of listings.
var listWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, listBuffer) }}

// takeListWriter returns a writer to w. put gives it back.
func takeListWriter(to io.Writer) (w *bufio.Writer, put func()) {
	if !largeBuffers.TryEnter() {
		return bufio.NewWriterSize(to, smallListBuffer), func() {}
	}
	w = listWriters.Get().(*bufio.Writer)
	w.Reset(to)
	return w, func() {
		w.Reset(nil)
		listWriters.Put(w)
		largeBuffers.Leave()
	}
}
