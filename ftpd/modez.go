package ftpd

import (
	"bufio"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/fair"
)

// MODE Z (draft-preston-ftpext-deflate): what goes over the data connection is one zlib stream
// (RFC 1950). Offsets, as in REST, are into the file, not into what is sent.

const (
	// defaultLevel is how hard to compress when OPTS MODE Z says nothing: zlib's own default.
	defaultLevel = 6
)

// Errors of MODE Z.
var (
	errDeflateBusy = errors.New("too many compressed transfers run: try again later, or use MODE S")
	errDeflated    = errors.New("the compressed data are damaged or cut short")
)

var (
	deflaters [flate.BestCompression + 1]sync.Pool // of *zlib.Writer, by level
)

// coding is how a transfer's data go over the connection.
type coding struct {
	deflate bool // MODE Z
	level   int  // OPTS MODE Z LEVEL
}

func (c coding) String() string {
	if c.deflate {
		return "deflate"
	}
	return "stream"
}

// send gives produce what its data go through to the client.
func (t *transfer) send(conn net.Conn, produce func(io.Writer) error) error {
	w := dataWriter{t, conn}
	if !t.coding.deflate {
		return produce(w)
	}
	pool := &deflaters[t.coding.level]
	z, ok := pool.Get().(*zlib.Writer)
	if ok {
		z.Reset(w)
	} else {
		z, _ = zlib.NewWriterLevel(w, t.coding.level) // the level was checked
	}
	defer func() {
		z.Reset(io.Discard) // it must not hold on to the connection
		pool.Put(z)
	}()
	if err := produce(stoppable{t, z}); err != nil {
		return err
	}
	return z.Close()
}

// receive gives consume what comes from the client. A compressed stream must be whole, and
// nothing may follow it.
func (t *transfer) receive(conn net.Conn, consume func(io.Reader) error) error {
	r := dataReader{t, conn}
	if !t.coding.deflate {
		return consume(r)
	}
	buffered := bufio.NewReaderSize(r, 32<<10)
	z, err := zlib.NewReader(buffered)
	if err != nil {
		return inflateError(err)
	}
	if err := consume(inflated{t, z}); err != nil {
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
func (t *transfer) enterCoding() (leave func(), err error) {
	if !t.coding.deflate {
		return func() {}, nil
	}
	place, err := t.deflates.Enter(t.ctx, t.account, placeTimeout)
	switch {
	case errors.Is(err, fair.ErrBusy):
		return nil, errDeflateBusy
	case err != nil:
		return nil, err
	}
	return place.Leave, nil
}

// stoppable is a writer that ends with its transfer: a compressor may take in much before it
// writes anything to a connection.
type stoppable struct {
	t *transfer
	w io.Writer
}

func (s stoppable) Write(p []byte) (int, error) {
	if err := s.t.stopped(); err != nil {
		return 0, err
	}
	return s.w.Write(p)
}

// inflated reads what a client has compressed. A little of that may expand to very much, so it
// looks for the transfer's end at every step; memory it takes no more for it.
type inflated struct {
	t *transfer
	r io.Reader
}

func (i inflated) Read(p []byte) (int, error) {
	if err := i.t.stopped(); err != nil {
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

// optsMode sets the level of MODE Z: OPTS MODE Z LEVEL 1.
func (s *session) optsMode(options string) {
	fields := strings.Fields(strings.ToUpper(options))
	if len(fields) == 0 || fields[0] != "Z" || len(fields)%2 == 0 {
		s.reply(501, "Syntax: OPTS MODE Z [LEVEL <1-9>]")
		return
	}
	level := s.coding.level
	for i := 1; i < len(fields); i += 2 {
		n, err := strconv.Atoi(fields[i+1])
		switch {
		case fields[i] != "LEVEL":
			s.reply(501, "MODE Z has one option here, LEVEL.")
			return
		case err != nil || n < flate.BestSpeed || n > flate.BestCompression:
			s.reply(501, "The level is a number from 1, fastest, to 9, smallest.")
			return
		}
		level = n
	}
	s.coding.level = level
	s.reply(200, "MODE Z LEVEL set to "+strconv.Itoa(level)+".")
}
