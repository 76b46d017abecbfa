package transfer

import (
	"crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
)

// tlsConn is what transfers read and write when PROT P is on.
type tlsConn struct {
	*tls.Conn
	below *recordWriter
	// lenient says that an end of the connection without close_notify is accepted as the end of the data.
	lenient bool
}

func (c tlsConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.lenient && errors.Is(err, ftptls.ErrTruncated) {
		err = io.EOF
	}
	return n, err
}

// Write sends the TLS records of p with as few system calls as possible.
func (c tlsConn) Write(p []byte) (int, error) {
	if len(p) <= maxRecord {
		return c.Conn.Write(p)
	}
	c.below.gather()
	n, err := c.Conn.Write(p)
	if failed := c.below.flush(); err == nil && failed != nil {
		return 0, failed // it is not known how much the peer has received
	}
	return n, err
}

// maxRecord is the largest number of bytes in a TLS record (RFC 8446 section 5.1).
const maxRecord = 16 << 10

// recordWriter is the connection that TLS writes its records to. It can gather them.
type recordWriter struct {
	deadlineConn
	buf  *[]byte // not nil while records are gathered
	have int     // number of bytes in buf
}

// gather keeps what is written, until flush or until the buffer is full.
func (r *recordWriter) gather() { r.buf, r.have = takeBuffer(), 0 }

func (r *recordWriter) Write(p []byte) (int, error) {
	if r.buf == nil {
		return r.deadlineConn.Write(p)
	}
	if r.have+len(p) > len(*r.buf) {
		if err := r.send(); err != nil {
			return 0, err
		}
		if len(p) > len(*r.buf) {
			return r.deadlineConn.Write(p)
		}
	}
	r.have += copy((*r.buf)[r.have:], p)
	return len(p), nil
}

func (r *recordWriter) send() error {
	_, err := r.deadlineConn.Write((*r.buf)[:r.have])
	r.have = 0
	return err
}

// flush sends what was gathered, and ends gathering.
func (r *recordWriter) flush() error {
	var err error
	if r.have > 0 {
		err = r.send()
	}
	putBuffer(r.buf)
	r.buf = nil
	return err
}

// deadlineConn is the TCP connection below TLS. It extends the deadline before every system call. A deadline set
// above TLS would apply to whole records, and one that passes while a record is written breaks TLS.
type deadlineConn struct {
	*net.TCPConn
	t *Transfer
}

func (c deadlineConn) Read(p []byte) (int, error) {
	if err := c.t.extendDeadline(); err != nil {
		return 0, err
	}
	return c.TCPConn.Read(p)
}

func (c deadlineConn) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		if err := c.t.extendDeadline(); err != nil {
			return written, err
		}
		n, err := c.TCPConn.Write(p[written:])
		written += n
		if err != nil && (n == 0 || !onlySlow(c.t, err)) {
			return written, err
		}
	}
	return written, nil
}
