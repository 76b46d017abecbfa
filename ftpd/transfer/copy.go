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
	// chunk is the number of octets moved before the deadline is extended and an abort is noticed. Each chunk is one
	// io.CopyN, so that Go can use sendfile and splice.
	chunk = 4 << 20
	// littleFile is the size up to which a read and a write cost less than setting up sendfile.
	littleFile = 16 << 10
	// maxWaiting is the number of downloads that may block a thread at one time.
	maxWaiting = 32
	// copyBuffer is the size of the buffers for uploads that do not use splice, and for downloads over TLS.
	copyBuffer = int(budget.LargeBuffer)
	// smallBuffer is the size used instead of copyBuffer if memory is short. It holds one record of TLS.
	smallBuffer = maxRecord
)

var (
	buffers = sync.Pool{New: func() any { b := make([]byte, copyBuffer); return &b }}
	// These places limit what the whole process uses, however many Servers it has, since the process has these
	// resources only once: memory for large buffers, pages for the pipes of uploads by splice, and threads that block
	// while they send downloads.
	largeBuffers   = slots.New(math.MaxInt)
	uploadPipes    = slots.New(budget.MostSplices)
	waitingThreads = slots.New(maxWaiting)
)

// Bound sets the number of large buffers that may be in use at one time, and of uploads that may use splice.
func Bound(buffers, splices int) {
	largeBuffers.Resize(buffers)
	uploadPipes.Resize(splices)
}

// Splicing returns the number of uploads that use splice now.
func Splicing() int { return uploadPipes.Taken() }

// takeBuffer returns a large buffer, or a small one if memory is short. The caller gives it back with putBuffer.
func takeBuffer() *[]byte {
	if largeBuffers.TryEnter() {
		return buffers.Get().(*[]byte)
	}
	b := make([]byte, smallBuffer)
	return &b
}

// putBuffer gives back a buffer that takeBuffer returned.
func putBuffer(b *[]byte) {
	if len(*b) == copyBuffer {
		buffers.Put(b)
		largeBuffers.Leave()
	}
}

// sendFile sends size octets of f from its position, which is offset.
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
			// Octets that were read but not sent must be read again.
			if _, err := f.Seek(offset+sent, io.SeekStart); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// copyChunk copies up to n octets: by sendfile from an *os.File to a *net.TCPConn, else through a buffer that is
// larger than io.Copy's. all says that these octets are the whole transfer; if they are at most littleFile, the
// caller must then close the connection after this call.
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

// sendBlocking sends up to n octets of a file and blocks its thread while it waits for the client. It sends nothing
// if too many threads are blocked already.
func sendBlocking(conn *net.TCPConn, file *os.File, n int64) (int64, error) {
	if !waitingThreads.TryEnter() {
		return 0, nil
	}
	defer waitingThreads.Leave()
	return socket.SendFileBlocking(conn, file, n)
}

// copyBuffered copies n octets through a buffer. It returns io.EOF if r ends earlier.
func copyBuffered(w io.Writer, r io.Reader, n int64) (int64, error) {
	buf := takeBuffer()
	defer putBuffer(buf)
	// The struct hides w's ReadFrom, with which io.CopyBuffer would not use the buffer.
	copied, err := io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(r, n), *buf)
	if err == nil && copied < n {
		err = io.EOF
	}
	return copied, err
}

// lastWriter writes the last octets before the connection is closed.
type lastWriter struct{ conn *net.TCPConn }

func (w lastWriter) Write(p []byte) (int, error) { return socket.SendLast(w.conn, p) }

// enterSplice takes a place among the uploads that use splice, with the descriptors of a pipe. ok is false if there
// is no place, or if the connection can't be spliced. leave gives the place back.
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

// receiveFile stores what the client sends until it closes its side.
func receiveFile(t *Transfer, conn net.Conn, w io.Writer) error {
	copyN := func(n int64) (int64, error) { return io.CopyN(w, conn, n) } // io.CopyN uses splice for an *os.File and a *net.TCPConn
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

// copyPart copies n octets of a file through a buffer. It returns errShrunk if the file is shorter.
func copyPart(w io.Writer, f storage.File, n int64) error {
	_, err := copyBuffered(w, f, n)
	if errors.Is(err, io.EOF) {
		err = errShrunk
	}
	return err
}

// storeAll copies r to w until the end, through a buffer.
func storeAll(w io.Writer, r io.Reader) error {
	buf := takeBuffer()
	defer putBuffer(buf)
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, *buf)
	return err
}

// gatherReader fills up to 64 KiB (gathered) per Read: a TLS record has 16 KiB at most, and larger writes suit the
// storage.
type gatherReader struct{ net.Conn }

// gathered is the number of octets that a Read waits for, if p has room for them.
const gathered = 64 << 10

func (g gatherReader) Read(p []byte) (int, error) {
	n, err := io.ReadAtLeast(g.Conn, p, min(len(p), gathered))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF // the end came before that many octets
	}
	return n, err
}

// onlySlow reports whether err is a timeout of one chunk, not an abort. If anything moved before the timeout, the
// transfer continues.
func onlySlow(t *Transfer, err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && t.AbortCause() == nil
}

// dataWriter writes to a data connection. It is for data that do not come from a file directly.
type dataWriter struct {
	t    *Transfer
	conn net.Conn
}

// Write counts the octets that it writes. A slow client has as much time as it needs as long as octets move.
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

// dataReader reads from a data connection, and counts the octets.
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

// Discard reads a connection and discards the data until the peer closes its side, the connection is closed, or most
// octets were read.
func Discard(conn *net.TCPConn, most int64) {
	_ = conn.SetDeadline(time.Time{})
	buf := takeBuffer()
	defer putBuffer(buf)
	_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(conn, most), *buf)
}
