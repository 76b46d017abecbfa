package transfer

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// content is what a transfer moves over its data connection. The transfer calls move once, then commit or drop or
// neither, and close last. The transfer, not the content, chooses the way in which data are moved: moveRaw is called in
// place of move where that is possible (raw.go).
type content interface {
	// move moves all data.
	move(t *Transfer, conn net.Conn) error
	// mayBeSmall reports whether it is worth trying moveRaw.
	mayBeSmall() bool
	// moveRaw moves all data as they are: in clear text, TYPE I and MODE S.
	moveRaw(t *Transfer, conn *rawConn) error
	// commit makes the data durable, after move has succeeded. If commit fails, it gives up what was stored.
	commit() error
	// drop gives up what was stored; it is called instead of commit. brokeOff says that the client or its connection
	// ended the transfer, so that what has arrived may be worth keeping.
	drop(brokeOff bool)
	// close releases what the content holds.
	close()
}

// FileContent is a file, or a part of one, that is sent to the client.
type FileContent struct {
	File storage.File
	// Offset is the position at which File stands, and Size the number of octets to send.
	Offset, Size int64
	// Text says that TYPE A is in force. Then everything from Offset on is sent, whatever Size is.
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

func (d *FileContent) mayBeSmall() bool { return !d.Text && d.Size <= smallDownload }

func (d *FileContent) moveRaw(t *Transfer, conn *rawConn) error {
	sent, err := d.sendRaw(conn)
	if !errors.Is(err, socket.ErrWait) {
		return err
	}
	tcp, err := conn.upgrade()
	if err == nil {
		_, err = d.File.Seek(d.Offset+sent, io.SeekStart)
	}
	if err != nil {
		return err
	}
	return sendFile(t, tcp, d.File, d.Offset+sent, d.Size-sent)
}

// sendRaw sends as much of the file as the connection takes at once. It returns socket.ErrWait if that is not all.
func (d *FileContent) sendRaw(conn *rawConn) (sent int64, err error) {
	buf := takeBuffer()
	defer putBuffer(buf)
	for sent < d.Size && err == nil {
		part := (*buf)[:min(int64(len(*buf)), d.Size-sent)]
		if _, err := io.ReadFull(d.File, part); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errShrunk
			}
			return sent, err
		}
		var n int
		n, err = conn.send(part)
		sent += int64(n)
	}
	return sent, err
}

func (d *FileContent) commit() error { return nil }
func (d *FileContent) drop(bool)     {}
func (d *FileContent) close()        { _ = d.File.Close() }

// UploadContent receives what a client sends, and stores it.
type UploadContent struct {
	storage.Upload
	Text bool // TYPE A is in force
	// Keeps says that what has arrived of an upload that broke off is kept, so that the client can resume it.
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

func (u *UploadContent) mayBeSmall() bool { return !u.Text }

func (u *UploadContent) moveRaw(t *Transfer, conn *rawConn) error {
	all, err := u.storeGathered(conn)
	if all {
		return err
	}
	tcp, gone := conn.upgrade() // also after an error: the client may still be sending
	if err = cmp.Or(err, gone); err != nil {
		return err
	}
	return receiveFile(t, tcp, u.Writer())
}

// storeGathered stores what the client sends at once. all says that the client has closed its side.
func (u *UploadContent) storeGathered(conn *rawConn) (all bool, err error) {
	buf := takeBuffer()
	defer putBuffer(buf)
	n, all, err := conn.gather(*buf)
	if _, failed := u.Writer().Write((*buf)[:n]); failed != nil {
		return all, failed
	}
	return all, err
}

func (u *UploadContent) commit() error { return u.Commit() }

// drop ignores errors: the client's reply says in either case that the upload broke off.
func (u *UploadContent) drop(brokeOff bool) {
	if u.Keeps && brokeOff {
		_ = u.Keep()
	} else {
		_ = u.Abort()
	}
}

func (u *UploadContent) close() {}

// LinesContent is the text of a listing. Write writes its lines, each ended by CR LF. Closed is called last.
type LinesContent struct {
	Write  func(*bufio.Writer) error
	Closed func()
}

func (l *LinesContent) move(t *Transfer, conn net.Conn) error { return t.send(conn, l.writeTo) }

func (l *LinesContent) mayBeSmall() bool { return true }

func (l *LinesContent) moveRaw(_ *Transfer, conn *rawConn) error { return l.writeTo(conn) }

func (l *LinesContent) writeTo(to io.Writer) error {
	w, put := takeListWriter(to)
	defer put()
	if err := l.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

func (l *LinesContent) commit() error { return nil }
func (l *LinesContent) drop(bool)     {}
func (l *LinesContent) close()        { l.Closed() }

// listBuffer is the size of the buffer for lines of a listing; smallListBuffer is the size if memory is short.
const listBuffer, smallListBuffer = 64 << 10, 4 << 10

// listWriters holds unused buffers for lines of listings.
var listWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, listBuffer) }}

// takeListWriter returns a buffered writer on top of to. The caller must flush it, and give it back with put.
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
