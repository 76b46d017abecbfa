package transfer

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/slots"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

const (
	// chunk is how much moves between two looks at the deadline and the abort. One chunk is one
	// io.CopyN, which is what lets Go use sendfile and splice.
	chunk = 4 << 20
	// littleFile is what is copied with less effort than sendfile takes to begin with.
	littleFile = 16 << 10
	// maxWaiting bounds the downloads that may keep a thread waiting at one time.
	maxWaiting = 32
	// copyBuffer is the size of the buffers of the uploads that don't splice, and of downloads in TLS.
	copyBuffer = int(budget.LargeBuffer)
	// smallBuffer is what is used in place of them where memory is short. It holds a record of TLS.
	smallBuffer = maxRecord
)

var (
	buffers = sync.Pool{New: func() any { b := make([]byte, copyBuffer); return &b }}
	// What follows bounds what the process has once, however many Servers are in it: memory for large buffers, pages for
	// the pipes of uploads by splice, and threads that wait for clients of downloads.
	largeBuffers   = slots.New(math.MaxInt)
	uploadPipes    = slots.New(budget.MostSplices)
	waitingThreads = slots.New(maxWaiting)
)

// Bound sets the number of large buffers that may be in use, and of uploads that may splice.
func Bound(buffers, splices int) {
	largeBuffers.Resize(buffers)
	uploadPipes.Resize(splices)
}

// Splicing returns the number of uploads that splice.
func Splicing() int { return uploadPipes.Taken() }

// takeBuffer returns a large buffer, or a small one where memory is short.
func takeBuffer() *[]byte {
	if largeBuffers.TryEnter() {
		return buffers.Get().(*[]byte)
	}
	b := make([]byte, smallBuffer)
	return &b
}

// putBuffer gives it back.
func putBuffer(b *[]byte) {
	if len(*b) == copyBuffer {
		buffers.Put(b)
		largeBuffers.Leave()
	}
}

// sendFile sends size octets of f, from where it stands.
func sendFile(t *Transfer, conn net.Conn, f storage.File, offset, size int64) error {
	if raw, ok := conn.(*net.TCPConn); ok && size >= socket.Bulk {
		socket.PrepareBulk(raw)
	}
	for sent := int64(0); sent < size; {
		if err := t.extendDeadline(); err != nil {
			return err
		}
		most := t.Flow.Chunk(min(chunk, size-sent))
		n, err := copyChunk(conn, f, most, most == size)
		sent += n
		if stop := t.moved(n); stop != nil {
			return stop
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return errShrunk
		case n > 0 && onlySlow(t, err):
			// What was read and not sent has to be read again.
			if _, err := f.Seek(offset+sent, io.SeekStart); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// copyChunk copies up to n octets: by sendfile, for an *os.File and a *net.TCPConn, else through a
// buffer that is larger than io.Copy's. all tells that there is nothing before and after them; if
// they are few, too, then the connection must be closed after this call.
func copyChunk(conn net.Conn, f storage.File, n int64, all bool) (int64, error) {
	raw, ok := conn.(*net.TCPConn)
	switch {
	case !ok:
		return copyBuffered(conn, f, n)
	case all && n <= littleFile:
		return copyBuffered(lastWriter{raw}, f, n)
	}
	file, ok := storage.OSFile(f)
	if !ok {
		return io.CopyN(conn, f, n)
	}
	if n >= socket.Bulk {
		if sent, err := sendBlocking(raw, file, n); sent > 0 || err != nil {
			return sent, err
		}
	}
	return io.CopyN(conn, file, n)
}

// sendBlocking sends up to n octets of a file while its thread waits for the client. It sends nothing if too many threads
// wait already.
func sendBlocking(conn *net.TCPConn, file *os.File, n int64) (int64, error) {
	if !waitingThreads.TryEnter() {
		return 0, nil
	}
	defer waitingThreads.Leave()
	return socket.SendFileBlocking(conn, file, n)
}

// copyBuffered copies n octets through a buffer; io.EOF if there are less.
func copyBuffered(w io.Writer, r io.Reader, n int64) (int64, error) {
	buf := takeBuffer()
	defer putBuffer(buf)
	// The struct hides the methods that would make io.CopyBuffer do without the buffer.
	copied, err := io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(r, n), *buf)
	if err == nil && copied < n {
		err = io.EOF
	}
	return copied, err
}

// lastWriter writes what a connection is closed after.
type lastWriter struct{ conn *net.TCPConn }

func (w lastWriter) Write(p []byte) (int, error) { return socket.SendLast(w.conn, p) }

// enterSplice takes a place among those that may splice, with the memory and the descriptors of its pipe. ok is false if there
// is none, or for a connection that can't.
func (t *Transfer) enterSplice(conn net.Conn) (leave func(), ok bool) {
	if _, raw := conn.(*net.TCPConn); !raw {
		return nil, false
	}
	if !uploadPipes.TryEnter() {
		return nil, false
	}
	if !t.Held.Take(budget.SpliceDescriptors) {
		uploadPipes.Leave()
		return nil, false
	}
	return func() {
		t.Held.Give(budget.SpliceDescriptors)
		uploadPipes.Leave()
	}, true
}

// receiveFile stores what comes until the end.
func receiveFile(t *Transfer, conn net.Conn, w io.Writer) error {
	copyN := func(n int64) (int64, error) { return io.CopyN(w, conn, n) } // splice, for an *os.File and a *net.TCPConn
	if leave, ok := t.enterSplice(conn); ok {
		defer leave()
	} else {
		copyN = func(n int64) (int64, error) { return copyBuffered(w, gatherReader{conn}, n) }
	}
	for {
		if err := t.extendDeadline(); err != nil {
			return err
		}
		n, err := copyN(t.Flow.Chunk(chunk))
		if stop := t.moved(n); stop != nil {
			return stop
		}
		switch {
		case err == nil, n > 0 && onlySlow(t, err):
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// copyPart copies n octets of a file through a buffer.
func copyPart(w io.Writer, f storage.File, n int64) error {
	_, err := copyBuffered(w, f, n)
	if errors.Is(err, io.EOF) {
		err = errShrunk
	}
	return err
}

// storeAll copies until the end.
func storeAll(w io.Writer, r io.Reader) error {
	buf := takeBuffer()
	defer putBuffer(buf)
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, *buf)
	return err
}

// gatherReader reads as much as there soon is: a record of TLS has 16 KiB at most, which are small pieces
// to write to a storage.
type gatherReader struct{ net.Conn }

// gathered is how much is waited for, if that much is asked for.
const gathered = 64 << 10

func (g gatherReader) Read(p []byte) (int, error) {
	n, err := io.ReadAtLeast(g.Conn, p, min(len(p), gathered))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF // less than was waited for, and then the end
	}
	return n, err
}

// onlySlow reports whether err only means that a chunk took longer than a connection may stand
// still. If anything moved in that time, the transfer goes on.
func onlySlow(t *Transfer, err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && t.AbortCause() == nil
}

// dataWriter writes to a data connection for those who have bytes instead of a file.
type dataWriter struct {
	t    *Transfer
	conn net.Conn
}

// Write counts what it writes and allows a slow client time as long as anything moves.
func (w dataWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		if err := w.t.extendDeadline(); err != nil {
			return written, err
		}
		part := p[written:]
		n, err := w.conn.Write(part[:w.t.Flow.Chunk(int64(len(part)))])
		written += n
		if stop := w.t.moved(int64(n)); stop != nil {
			return written, stop
		}
		if err != nil && (n == 0 || !onlySlow(w.t, err)) {
			return written, err
		}
	}
	return written, nil
}

// dataReader reads from a data connection, counting.
type dataReader struct {
	t    *Transfer
	conn net.Conn
}

func (r dataReader) Read(p []byte) (int, error) {
	if err := r.t.extendDeadline(); err != nil {
		return 0, err
	}
	n, err := r.conn.Read(p[:r.t.Flow.Chunk(int64(len(p)))])
	if stop := r.t.moved(int64(n)); stop != nil {
		return n, stop
	}
	return n, err
}

// Discard throws away what comes on a connection until the peer closes its side or the connection is closed, up to most
// octets.
func Discard(conn *net.TCPConn, most int64) {
	_ = conn.SetDeadline(time.Time{})
	buf := takeBuffer()
	defer putBuffer(buf)
	_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(conn, most), *buf)
}
