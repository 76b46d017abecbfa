package ftptls

import (
	"errors"
	"io"
	"net"
)

// ErrTruncated means that a connection ended without the peer's close_notify (RFC 8446 section 6.1), so data may be
// missing: the connection may have been cut off on the way.
var ErrTruncated = errors.New("the connection ended without TLS close_notify")

// recordHeader is the size in bytes of a TLS record's header. Its last two bytes are the length of the rest of the
// record.
const recordHeader = 5

// recordConn is the connection that TLS runs over. With it a tls.Conn returns io.EOF only after a close_notify. By
// itself a tls.Conn would return io.EOF for any end between two records.
type recordConn struct{ net.Conn }

func (c recordConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, truncation(err)
}

// recordCarrier is like recordConn, and it never reads beyond the end of a TLS record. So clear text that follows a
// close_notify (after CCC or REIN) is left for the next reader; a tls.Conn by itself reads ahead.
type recordCarrier struct {
	net.Conn
	header [recordHeader]byte
	have   int // the number of bytes of the header that were read
	body   int // the number of bytes of the record's body that were not read yet
}

func (c *recordCarrier) Read(p []byte) (int, error) {
	if c.body > 0 {
		n, err := c.Conn.Read(p[:min(len(p), c.body)])
		c.body -= n
		return n, truncation(err)
	}
	n, err := c.Conn.Read(p[:min(len(p), recordHeader-c.have)])
	copy(c.header[c.have:], p[:n])
	if c.have += n; c.have == recordHeader {
		c.have, c.body = 0, int(c.header[3])<<8|int(c.header[4])
	}
	return n, truncation(err)
}

// truncation returns ErrTruncated for io.EOF, and other errors as they are.
func truncation(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrTruncated
	}
	return err
}
