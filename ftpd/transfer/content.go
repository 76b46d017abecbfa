package transfer

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
	move(t *Transfer, conn net.Conn) error
	// commit makes it durable, after move has succeeded. If that fails, commit gives up what was stored.
	commit() error
	// drop gives up what was stored, in place of commit. brokeOff: the client or its connection ended the transfer, so what
	// has come may be worth keeping.
	drop(brokeOff bool)
	// close gives back what it holds.
	close()
}

// FileContent is a file, or a part of it.
type FileContent struct {
	File storage.File
	// Offset is where the file stands, and size how many octets of it are sent.
	Offset, Size int64
	// Text: TYPE A; all from the offset on is sent.
	Text bool
}

func (d *FileContent) move(t *Transfer, conn net.Conn) error {
	switch {
	case d.Text:
		return t.send(conn, func(w io.Writer) error { return toNetwork(w, d.File) })
	case t.Coding.Deflate:
		return t.send(conn, func(w io.Writer) error { return copyPart(w, d.File, d.Size) })
	default:
		return sendFile(t, conn, d.File, d.Offset, d.Size)
	}
}

func (d *FileContent) commit() error { return nil }
func (d *FileContent) drop(bool)     {}
func (d *FileContent) close()        { _ = d.File.Close() }

// UploadContent is what a client sends, and where it goes.
type UploadContent struct {
	storage.Upload
	Text bool // TYPE A
	// Keeps: what has come of an upload that broke off is kept, so that the client can resume it.
	Keeps bool
}

func (u *UploadContent) move(t *Transfer, conn net.Conn) error {
	switch {
	case u.Text:
		return t.receive(conn, func(r io.Reader) error { return fromNetwork(u.Writer(), r) })
	case t.Coding.Deflate:
		return t.receive(conn, func(r io.Reader) error { return storeAll(u.Writer(), r) })
	default:
		return receiveFile(t, conn, u.Writer())
	}
}

func (u *UploadContent) commit() error { return u.Commit() }

// drop ignores errors: the client is told of the break in either case.
func (u *UploadContent) drop(brokeOff bool) {
	if u.Keeps && brokeOff {
		_ = u.Keep()
	} else {
		_ = u.Abort()
	}
}

func (u *UploadContent) close() {}

// LinesContent are the lines of a listing. write writes them, each ended by CR LF; closed is called last.
type LinesContent struct {
	Write  func(*bufio.Writer) error
	Closed func()
}

func (l *LinesContent) move(t *Transfer, conn net.Conn) error {
	return t.send(conn, func(to io.Writer) error {
		w, put := takeListWriter(to)
		defer put()
		if err := l.Write(w); err != nil {
			return err
		}
		return w.Flush()
	})
}

func (l *LinesContent) commit() error { return nil }
func (l *LinesContent) drop(bool)     {}
func (l *LinesContent) close()        { l.Closed() }

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
