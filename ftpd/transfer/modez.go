package transfer

import (
	"bufio"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/ftp-operator/ftp-operator/ftpd/fair"
)

// In MODE Z (draft-preston-ftpext-deflate) the data on the connection are one zlib stream (RFC 1950). Offsets, such
// as REST's, are positions in the file, not in the compressed stream.

const (
	// DefaultLevel is the compression level before OPTS MODE Z sets one: zlib's own default.
	DefaultLevel = 6
)

// These are the errors of MODE Z.
var (
	errDeflateBusy = errors.New("too many compressed transfers run: try again later, or use MODE S")
	errDeflated    = errors.New("the compressed data are damaged or cut short")
)

// Coding is the way in which data are encoded on the data connection.
type Coding struct {
	Deflate bool // MODE Z; else MODE S
	Level   int  // OPTS MODE Z LEVEL, 1 to 9
}

// String returns the name of the mode, as STAT shows it.
func (c Coding) String() string {
	if c.Deflate {
		return "deflate"
	}
	return "stream"
}

// send calls produce with a writer to the client, which compresses in MODE Z; see deflate.go.
func (t *Transfer) send(conn net.Conn, produce func(io.Writer) error) error {
	w := dataWriter{t, conn}
	if !t.Coding.Deflate {
		return produce(w)
	}
	z := newDeflater(w, t.Coding.Level)
	defer z.release(t.Coding.Level)
	if err := produce(abortWriter{t, z}); err != nil {
		return err
	}
	return z.Close()
}

// receive calls consume with a reader of what the client sends, which decompresses in MODE Z. A compressed stream
// must be complete, and nothing may follow it.
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

// enterCoding waits for a place among the compressed transfers if the transfer is one. leave gives the place back.
// The error is errDeflateBusy if no place became free in time.
func (t *Transfer) enterCoding() (leave func(), err error) {
	if !t.Coding.Deflate {
		return func() {}, nil
	}
	place, err := t.Deflates.Enter(t.context(), t.Account, fair.Patience)
	switch {
	case errors.Is(err, fair.ErrBusy):
		return nil, errDeflateBusy
	case err != nil:
		return nil, err
	}
	return place.Leave, nil
}

// abortWriter is a writer that fails once its transfer is aborted: a compressor may take in much before it writes
// anything to the connection.
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

// inflateReader reads what a client has compressed. A few octets may expand to very many, so it checks for an abort
// at every Read. It needs no more memory for them.
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

// inflateError wraps errors of damaged data in errDeflated. It returns others, such as those of the connection,
// unchanged.
func inflateError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &corrupt), errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrDictionary), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", errDeflated, err)
	}
	return err
}
