package ftpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
)

// secured is the TLS state of a session.
type secured struct {
	config  *tls.Config // for data connections; nil: they are in clear text
	control *tls.Conn
	// resumed is true if the last data connection resumed a TLS session.
	resumed bool
}

// TLSMode is the way in which TLS starts.
type TLSMode string

// These are the modes of TLS.
const (
	Explicit TLSMode = "explicit" // by AUTH TLS (RFC 4217)
	Implicit TLSMode = "implicit" // with the connection
)

// LoginTLS connects, logs in, sets the binary type and protects data connections, all under TLS. To resume TLS
// sessions on data connections, config needs a session cache.
func LoginTLS(ctx context.Context, network Network, mode TLSMode, address, user, password string, config *tls.Config) (*Client, error) {
	c, err := connectTLS(ctx, network, mode, address, config)
	if err != nil {
		return nil, err
	}
	err = c.login(user, password)
	for _, command := range []string{"PBSZ 0", "PROT P"} {
		if err == nil {
			_, err = c.Command(200, "%s", command)
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.config = config
	return c, nil
}

func connectTLS(ctx context.Context, network Network, mode TLSMode, address string, config *tls.Config) (*Client, error) {
	if mode == Explicit {
		c, err := Connect(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if _, err = c.Command(234, "AUTH TLS"); err == nil {
			err = c.startTLS(ctx, config)
		}
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return c, nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	conn, err := network.Dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("control connection: %w", err)
	}
	c := newClient(network, host, conn)
	if err := c.startTLS(ctx, config); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if _, err := c.expect("greeting", 220); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Client) startTLS(ctx context.Context, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	c.control = tls.Client(c.conn, config)
	if err := c.control.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake on the control connection: %w", err)
	}
	c.conn, c.text = c.control, textproto.NewConn(c.control)
	return nil
}

// protect performs the TLS handshake on a data connection, if data connections are protected.
func (c *Client) protect(ctx context.Context, conn net.Conn) (net.Conn, error) {
	if c.config == nil {
		return conn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	secure := tls.Client(conn, c.config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake on the data connection: %w", err)
	}
	c.resumed = secure.ConnectionState().DidResume
	return secure, nil
}

// DataTLS sets another TLS configuration for later data connections.
func (c *Client) DataTLS(config *tls.Config) { c.config = config }

// Resumed reports whether the last data connection resumed a TLS session.
func (c *Client) Resumed() bool { return c.resumed }

// Certificate returns the server's certificate on the control connection; nil without TLS.
func (c *Client) Certificate() *x509.Certificate {
	if c.control == nil {
		return nil
	}
	return c.control.ConnectionState().PeerCertificates[0]
}
