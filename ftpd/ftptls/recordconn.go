package ftptls

import (
	"errors"
	"io"
	"net"
)

// ErrTruncated is the end of a connection whose peer did not say by close_notify that this is
// the end (RFC 8446 section 6.1): it may have been cut off on the way.
var ErrTruncated = errors.New("the connection ended without TLS close_notify")

// recordHeader is the size of a TLS record's header, whose last two bytes are the length of
// what follows.
const recordHeader = 5

// recordConn is the connection that TLS runs over. With it a tls.Conn returns io.EOF after a
// close_notify only; by itself it would at any end between two records.
type recordConn struct{ net.Conn }

func (c recordConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, truncation(err)
}

// recordCarrier never reads beyond a TLS record. What follows a close_notify in clear text (CCC,
// REIN) is then still there for whoever reads next; a tls.Conn by itself reads ahead.
type recordCarrier struct {
	net.Conn
	header [recordHeader]byte
	have   int // bytes of the header that were read
	body   int // bytes of the record's body that were not
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

func truncation(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrTruncated
	}
	return err
}
