package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// client is one client of the load.
type client struct {
	load   *Load
	id     int
	slow   bool
	chance *rand.Rand
	// stored are the client's files that the server acknowledged.
	stored []file
	named  int
}

type file struct {
	name string
	size int
}

// run opens one session after the other until the load is stopped.
func (c *client) run(ctx context.Context) {
	for !c.load.stopped() && ctx.Err() == nil {
		id := int(c.load.sessions.Add(1))
		s := &Session{ID: id, Client: c.id, TLS: c.load.cfg.TLS != nil && id%2 == 0}
		if conn := c.connect(ctx, s); conn != nil {
			c.session(ctx, s, conn)
		}
		c.load.add(s)
	}
}

// connect logs in and retries until it works; it returns nil if the load ends before.
func (c *client) connect(ctx context.Context, s *Session) *ftpclient.Client {
	cfg := &c.load.cfg
	began := time.Now()
	for {
		tried := time.Now()
		conn, err := c.login(ctx, s.TLS)
		if len(s.Refusals) > 0 || err != nil {
			s.RefusedFor = time.Since(began)
		}
		if err == nil {
			if cfg.Patience > 0 {
				conn.Patience = cfg.Patience
			}
			return conn
		}
		if ctx.Err() != nil {
			return nil // the attempt was cancelled, not refused
		}
		s.Refusals = append(s.Refusals, Refusal{Began: tried, Err: err})
		if !c.wait(ctx, cfg.RetryAfter) {
			return nil
		}
	}
}

func (c *client) login(ctx context.Context, secure bool) (*ftpclient.Client, error) {
	cfg := &c.load.cfg
	network := cfg.Network
	if c.slow {
		network = narrow{network}
	}
	if !secure {
		return ftpclient.Login(ctx, network, cfg.Address, cfg.User, cfg.Password)
	}
	config := cfg.TLS.Clone()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	return ftpclient.LoginTLS(ctx, network, ftpclient.Explicit, cfg.Address, cfg.User, cfg.Password, config)
}

// wait pauses; it returns false if the load ends meanwhile.
func (c *client) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-c.load.stop:
	}
	return false
}

// session transfers files until one fails or there were enough, and quits.
func (c *client) session(ctx context.Context, s *Session, conn *ftpclient.Client) {
	defer func() { _ = conn.Close() }() // after a failure; Quit has closed it otherwise
	for i := range c.perSession() {
		if !c.load.take() {
			break
		}
		// The first transfer is an upload, whose name identifies the session; see Trace.
		t := c.transfer(ctx, conn, i == 0 || !c.slow && c.chance.IntN(2) == 0)
		if t.Err != nil && ctx.Err() != nil {
			return // the load was cancelled
		}
		s.Transfers = append(s.Transfers, t)
		if t.Err != nil || !c.wait(ctx, c.pause()) {
			break
		}
	}
	if n := len(s.Transfers); n == 0 || s.Transfers[n-1].Err == nil {
		_ = conn.Quit() // all transfers have been acknowledged
	}
}

// perSession returns the number of transfers of a session: two for a slow client.
func (c *client) perSession() int {
	if c.slow {
		return 2
	}
	return c.load.cfg.PerSession
}

// pause returns a random time with the load's Pause as mean.
func (c *client) pause() time.Duration {
	if c.load.cfg.Pause == 0 {
		return 0
	}
	return time.Duration(c.chance.Int64N(2 * int64(c.load.cfg.Pause)))
}

// transfer uploads a new file, or downloads a file that the client has uploaded before, in any session.
func (c *client) transfer(ctx context.Context, conn *ftpclient.Client, upload bool) Transfer {
	t := Transfer{Upload: upload || len(c.stored) == 0, Mode: ftpclient.PASV}
	if c.chance.IntN(2) == 0 {
		t.Mode = ftpclient.EPSV
	}
	var f file
	if t.Upload {
		f = c.newFile()
	} else {
		f = c.stored[c.chance.IntN(len(c.stored))]
	}
	t.Path, t.Bytes = f.name, f.size
	t.Began = time.Now()
	t.Err = c.move(ctx, conn, &t)
	t.Took = time.Since(t.Began)
	t.Outcome = outcome(t.Err)
	if t.Upload && t.Outcome == Completed {
		c.stored = append(c.stored, f)
	}
	return t
}

func (c *client) newFile() file {
	c.named++
	f := file{name: fmt.Sprintf("%sc%d-%d.bin", c.load.cfg.Dir, c.id, c.named)}
	if f.size = c.load.cfg.SlowSize; !c.slow {
		f.size = size(c.chance, c.load.cfg.MaxSize)
	}
	return f
}

func (c *client) move(ctx context.Context, conn *ftpclient.Client, t *Transfer) error {
	var err error
	if t.Address, err = conn.Passive(t.Mode); err != nil {
		return &ftpclient.TransferError{Step: ftpclient.AskingForPort, Err: err}
	}
	command := "RETR "
	if t.Upload {
		command = "STOR "
	}
	running, err := conn.BeginAt(ctx, t.Address, command+t.Path)
	if err != nil {
		return c.explained(ctx, conn, t.Address, err)
	}
	data := content(c.load.cfg.Seed, t.Path, t.Bytes)
	if t.Upload {
		err = c.send(ctx, running, data)
	} else {
		err = c.receive(ctx, running, data)
	}
	return running.Finish(err)
}

// explained adds to the error of a data connection that could not be made whether its session is alive, and what is known
// about the address.
func (c *client) explained(ctx context.Context, conn *ftpclient.Client, address string, err error) error {
	var failed *ftpclient.TransferError
	if !errors.As(err, &failed) || failed.Step != ftpclient.Connecting {
		return err
	}
	session := "is alive"
	if _, err := conn.Command(200, "NOOP"); err != nil {
		session = "is not: " + err.Error()
	}
	failed.Err = fmt.Errorf("%w (its session %s)", failed.Err, session)
	if f := c.load.cfg.Unreachable; f != nil {
		failed.Err = fmt.Errorf("%w; %s", failed.Err, f(ctx, address))
	}
	return err
}

// chunks is the number of parts of a slow transfer.
const chunks = 50

// send writes the data; a slow client does so part by part.
func (c *client) send(ctx context.Context, w io.Writer, data []byte) error {
	part := len(data)
	if c.slow {
		part = max(part/chunks, 1)
	}
	for {
		n := min(part, len(data))
		if _, err := w.Write(data[:n]); err != nil {
			return err
		}
		if data = data[n:]; len(data) == 0 {
			return nil
		}
		if !c.dawdle(ctx) {
			return ctx.Err()
		}
	}
}

// receive reads the data connection and compares what it reads with the data.
func (c *client) receive(ctx context.Context, r io.Reader, data []byte) error {
	part := 32 << 10
	if c.slow {
		part = max(len(data)/chunks, 1)
	}
	buffer, offset := make([]byte, part), 0
	for {
		n, err := io.ReadFull(r, buffer)
		for i, b := range buffer[:n] {
			if offset+i >= len(data) || data[offset+i] != b {
				return wrongAt(offset + i)
			}
		}
		offset += n
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if offset < len(data) {
				return &shortError{offset}
			}
			return nil
		case err != nil:
			return err
		case c.slow && !c.dawdle(ctx):
			return ctx.Err()
		}
	}
}

// shortError is the error of a data connection that ended before the file did.
type shortError struct{ came int }

func (e *shortError) Error() string {
	return fmt.Sprintf("the data connection ended after %d bytes, before the file did", e.came)
}

// dawdle pauses a slow client between two parts. Stopping the load does not shorten the pause.
func (c *client) dawdle(ctx context.Context) bool {
	timer := time.NewTimer(c.load.cfg.SlowTime / chunks)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// narrow is a network whose connections have small receive buffers, so that data which a client does not read yet is
// not sent yet either.
type narrow struct{ ftpclient.Network }

func (n narrow) Dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := n.Network.Dial(ctx, address)
	if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
		err = tcp.SetReadBuffer(32 << 10)
	}
	return conn, err
}
