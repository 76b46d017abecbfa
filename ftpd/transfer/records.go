package transfer

import (
	"crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
)

// tlsConn is a data connection with TLS, as those see it who move data.
type tlsConn struct {
	*tls.Conn
	below *recordWriter
	// lenient takes the connection's end for the end of the data, close_notify or not.
	lenient bool
}

func (c tlsConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.lenient && errors.Is(err, ftptls.ErrTruncated) {
		err = io.EOF
	}
	return n, err
}

// Write has all records of p go to the kernel in one call, or a few.
func (c tlsConn) Write(p []byte) (int, error) {
	if len(p) <= maxRecord {
		return c.Conn.Write(p)
	}
	c.below.gather()
	n, err := c.Conn.Write(p)
	if failed := c.below.flush(); err == nil && failed != nil {
		return 0, failed // which of it has arrived can't be said
	}
	return n, err
}

// maxRecord is how much data a TLS record holds (RFC 8446 section 5.1).
const maxRecord = 16 << 10

// recordWriter is what TLS's records are written to.
type recordWriter struct {
	deadlineConn
	buf  *[]byte // while records are gathered
	have int     // bytes of buf
}

// gather keeps what is written until flush, as far as it fits.
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

// flush sends what was gathered.
func (r *recordWriter) flush() error {
	var err error
	if r.have > 0 {
		err = r.send()
	}
	putBuffer(r.buf)
	r.buf = nil
	return err
}

// deadlineConn is a data connection under TLS. Every call of the system has the time that a connection
// may stand still: above TLS a deadline would count whole records, and one that passes while a
// record is written breaks TLS.
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
