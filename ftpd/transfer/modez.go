package transfer

import (
	"bufio"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/fair"
)

// MODE Z (draft-preston-ftpext-deflate): what goes over the data connection is one zlib stream
// (RFC 1950). Offsets, as in REST, are into the file, not into what is sent.

const (
	// DefaultLevel is how hard to compress when OPTS MODE Z says nothing: zlib's own default.
	DefaultLevel = 6
)

// Errors of MODE Z.
var (
	errDeflateBusy = errors.New("too many compressed transfers run: try again later, or use MODE S")
	errDeflated    = errors.New("the compressed data are damaged or cut short")
)

var (
	deflaters [flate.BestCompression + 1]sync.Pool // of *zlib.Writer, by level
)

// Coding is how a transfer's data go over the connection.
type Coding struct {
	Deflate bool // MODE Z
	Level   int  // OPTS MODE Z LEVEL
}

func (c Coding) String() string {
	if c.Deflate {
		return "deflate"
	}
	return "stream"
}

// send gives produce what its data go through to the client.
func (t *Transfer) send(conn net.Conn, produce func(io.Writer) error) error {
	w := dataWriter{t, conn}
	if !t.Coding.Deflate {
		return produce(w)
	}
	pool := &deflaters[t.Coding.Level]
	z, ok := pool.Get().(*zlib.Writer)
	if ok {
		z.Reset(w)
	} else {
		z, _ = zlib.NewWriterLevel(w, t.Coding.Level) // the level was checked
	}
	defer func() {
		z.Reset(io.Discard) // it must not hold on to the connection
		pool.Put(z)
	}()
	if err := produce(abortWriter{t, z}); err != nil {
		return err
	}
	return z.Close()
}

// receive gives consume what comes from the client. A compressed stream must be whole, and
// nothing may follow it.
func (t *Transfer) receive(conn net.Conn, consume func(io.Reader) error) error {
	r := dataReader{t, conn}
	if !t.Coding.Deflate {
		return consume(r)
	}
	buffered := bufio.NewReaderSize(r, 32<<10)
	z, err := zlib.NewReader(buffered)
	if err != nil {
		return inflateError(err)
	}
	if err := consume(inflateReader{t, z}); err != nil {
		return err
	}
	switch _, err := buffered.ReadByte(); {
	case err == nil:
		return errDeflated
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// enterCoding waits for a place among the transfers that compress, if the transfer does. leave gives it
// back. No place in time is errDeflateBusy.
func (t *Transfer) enterCoding() (leave func(), err error) {
	if !t.Coding.Deflate {
		return func() {}, nil
	}
	place, err := t.Deflates.Enter(t.ctx, t.Account, fair.Patience)
	switch {
	case errors.Is(err, fair.ErrBusy):
		return nil, errDeflateBusy
	case err != nil:
		return nil, err
	}
	return place.Leave, nil
}

// abortWriter is a writer that ends with its transfer: a compressor may take in much before it
// writes anything to a connection.
type abortWriter struct {
	t *Transfer
	w io.Writer
}

func (s abortWriter) Write(p []byte) (int, error) {
	if err := s.t.AbortCause(); err != nil {
		return 0, err
	}
	return s.w.Write(p)
}

// inflateReader reads what a client has compressed. A little of that may expand to very much, so it
// looks for the transfer's end at every step; memory it takes no more for it.
type inflateReader struct {
	t *Transfer
	r io.Reader
}

func (i inflateReader) Read(p []byte) (int, error) {
	if err := i.t.AbortCause(); err != nil {
		return 0, err
	}
	n, err := i.r.Read(p)
	return n, inflateError(err)
}

// inflateError tells damaged data from a connection that failed.
func inflateError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &corrupt), errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrDictionary), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", errDeflated, err)
	}
	return err
}
