// Package ftpclient is a small FTP client for tests. It implements RFC 959 and RFC 2428 without the daemon's own
// code, returns every reply, and can use any network that can dial and listen.
package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// Network makes connections: those of this machine (Host) or those of a pod.
type Network interface {
	// Dial connects to host:port.
	Dial(ctx context.Context, address string) (net.Conn, error)
	// Listen listens on an address that a server can dial, for one connection.
	Listen(ctx context.Context) (net.Listener, error)
}

// Mode is the way in which a data connection is made.
type Mode string

// These are the modes of a data connection.
const (
	PASV Mode = "PASV"
	EPSV Mode = "EPSV"
	PORT Mode = "PORT"
	EPRT Mode = "EPRT"
)

// DefaultPatience is the Patience of new clients, so that no test hangs. A test that loads the machine may raise it
// before any other starts.
var DefaultPatience = 20 * time.Second

// Client is one control session.
type Client struct {
	// Patience bounds each single step: a reply, a handshake, a part of a file. New clients have DefaultPatience.
	Patience time.Duration

	network Network
	host    string
	conn    net.Conn
	text    *textproto.Conn
	secured
}

// Connect dials address (host:port) and reads the greeting.
func Connect(ctx context.Context, network Network, address string) (*Client, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	conn, err := network.Dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("control connection: %w", err)
	}
	c := newClient(network, host, conn)
	c.text = textproto.NewConn(conn)
	if _, err := c.expect("greeting", 220); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func newClient(network Network, host string, conn net.Conn) *Client {
	return &Client{Patience: DefaultPatience, network: network, host: host, conn: conn}
}

// Login connects, logs in and sets the binary type.
func Login(ctx context.Context, network Network, address, user, password string) (*Client, error) {
	c, err := Connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := c.login(user, password); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Client) login(user, password string) error {
	if _, err := c.Command(331, "USER %s", user); err != nil {
		return err
	}
	if _, err := c.Command(230, "PASS %s", password); err != nil {
		return err
	}
	_, err := c.Command(200, "TYPE I")
	return err
}

// LocalAddr returns the client's address of the control connection, as the client's network knows it.
func (c *Client) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// Command sends a command and returns the text of its reply. The reply must have the code, or begin with it if the
// code has one or two digits.
func (c *Client) Command(code int, format string, args ...any) (string, error) {
	command := fmt.Sprintf(format, args...)
	if err := c.Send(command); err != nil {
		return "", err
	}
	return c.expect(command, code)
}

// Send sends a command and does not wait for its reply.
func (c *Client) Send(command string) error {
	if err := c.conn.SetDeadline(time.Now().Add(c.Patience)); err != nil {
		return err
	}
	if err := c.text.PrintfLine("%s", command); err != nil {
		return fmt.Errorf("%s: %w", verb(command), err)
	}
	return nil
}

func (c *Client) expect(command string, code int) (string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(c.Patience)); err != nil {
		return "", err
	}
	// A session may be idle as long as the test needs.
	defer func() { _ = c.conn.SetDeadline(time.Time{}) }()
	_, message, err := c.text.ReadResponse(code)
	if err != nil {
		return message, fmt.Errorf("%s: %w", verb(command), err)
	}
	return message, nil
}

// Reply reads a reply with any code.
func (c *Client) Reply() (code int, text string, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(c.Patience)); err != nil {
		return 0, "", err
	}
	defer func() { _ = c.conn.SetDeadline(time.Time{}) }()
	return c.text.ReadResponse(0)
}

// verb returns the command without its arguments, which keeps passwords out of messages.
func verb(command string) string {
	v, _, _ := strings.Cut(command, " ")
	return v
}

// Passive requests a passive port and returns its host:port: with PASV the address in the 227 reply, with EPSV that
// of the control connection.
func (c *Client) Passive(mode Mode) (string, error) {
	switch mode {
	case PASV:
		message, err := c.Command(227, "PASV")
		if err != nil {
			return "", err
		}
		return ParsePASV(message)
	case EPSV:
		message, err := c.Command(229, "EPSV")
		if err != nil {
			return "", err
		}
		port, err := ParseEPSV(message)
		return net.JoinHostPort(c.host, port), err
	default:
		return "", fmt.Errorf("%s is not a passive mode", mode)
	}
}

// ParsePASV parses the host and port in the text of a 227 reply (RFC 959, 4.1.2).
func ParsePASV(message string) (string, error) {
	_, inside, _ := strings.Cut(message, "(")
	inside, _, ok := strings.Cut(inside, ")")
	n := strings.Split(inside, ",")
	if !ok || len(n) != 6 {
		return "", fmt.Errorf("227 reply without (h1,h2,h3,h4,p1,p2): %q", message)
	}
	high, err1 := strconv.ParseUint(n[4], 10, 8)
	low, err2 := strconv.ParseUint(n[5], 10, 8)
	host := strings.Join(n[:4], ".")
	if err1 != nil || err2 != nil || net.ParseIP(host) == nil {
		return "", fmt.Errorf("227 reply without an address: %q", message)
	}
	return net.JoinHostPort(host, strconv.FormatUint(high<<8|low, 10)), nil
}

// ParseEPSV parses the port in the text of a 229 reply (RFC 2428, 3).
func ParseEPSV(message string) (string, error) {
	_, inside, _ := strings.Cut(message, "(|||")
	port, _, ok := strings.Cut(inside, "|)")
	if _, err := strconv.ParseUint(port, 10, 16); err != nil || !ok {
		return "", fmt.Errorf("229 reply without (|||port|): %q", message)
	}
	return port, nil
}

// data is a data connection that is being made: by the client at once (passive), or by the server when the transfer
// starts (active).
type data struct {
	conn     net.Conn
	listener net.Listener
}

func (d *data) connection() (net.Conn, error) {
	if d.conn != nil {
		return d.conn, nil
	}
	conn, err := d.listener.Accept()
	if err != nil {
		return nil, fmt.Errorf("data connection from the server: %w", err)
	}
	d.conn = conn
	return conn, nil
}

func (d *data) close() {
	if d.conn != nil {
		_ = d.conn.Close()
	}
	if d.listener != nil {
		_ = d.listener.Close()
	}
}

func (c *Client) data(ctx context.Context, mode Mode) (*data, error) {
	if mode == PORT || mode == EPRT {
		return c.active(ctx, mode)
	}
	address, err := c.Passive(mode)
	if err != nil {
		return nil, &TransferError{Step: AskingForPort, Err: err}
	}
	return c.dial(ctx, address)
}

func (c *Client) dial(ctx context.Context, address string) (*data, error) {
	conn, err := c.network.Dial(ctx, address)
	if err != nil {
		return nil, &TransferError{Step: Connecting, Err: fmt.Errorf("data connection to %s, which the server named: %w", address, err)}
	}
	return &data{conn: conn}, nil
}

func (c *Client) active(ctx context.Context, mode Mode) (*data, error) {
	listener, err := c.network.Listen(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err == nil {
		_, err = c.Command(200, "%s", activeCommand(mode, host, port))
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return &data{listener: listener}, nil
}

func activeCommand(mode Mode, host, port string) string {
	if mode == EPRT {
		return fmt.Sprintf("EPRT |1|%s|%s|", host, port)
	}
	p, _ := strconv.Atoi(port)
	return fmt.Sprintf("PORT %s,%d,%d", strings.ReplaceAll(host, ".", ","), p>>8, p&0xff)
}

// Quit ends the session in good order. The server closes the connection after its reply, so errors of closing it here
// are ignored.
func (c *Client) Quit() error {
	_, err := c.Command(221, "QUIT")
	_ = c.Close()
	return err
}

// Close closes the connection without QUIT.
func (c *Client) Close() error { return c.text.Close() }
