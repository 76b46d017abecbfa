package ftpclient

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Step is a step of a transfer.
type Step string

// These are the steps of a transfer, in order.
const (
	AskingForPort Step = "asking for a port"         // PASV, EPSV, PORT or EPRT
	Connecting    Step = "connecting to the port"    // that the server named
	Commanding    Step = "giving the command"        // up to the 150 reply
	Opening       Step = "opening the data channel"  // the server's connection in active mode, TLS
	Moving        Step = "moving data"               // up to the end of the file
	Concluding    Step = "waiting for the last word" // the 226 reply
)

// TransferError is why a transfer failed, and at which step.
type TransferError struct {
	Step Step
	Err  error
	// Reply is the server's reply after the data connection failed; nil if it was 226 or was not read.
	Reply error
}

func (f *TransferError) Error() string {
	if f.Reply == nil {
		return fmt.Sprintf("%s: %v", f.Step, f.Err)
	}
	return fmt.Sprintf("%s: %v; %v", f.Step, f.Err, f.Reply)
}

func (f *TransferError) Unwrap() []error { return []error{f.Err, f.Reply} }

// Transfer is a transfer in progress: the server has replied 150, and the data connection is open. Write or read the
// file, then call Finish.
type Transfer struct {
	client *Client
	verb   string
	data   *data
	conn   net.Conn
}

// Begin starts a transfer with a command such as "STOR name". Errors are of type *TransferError.
func (c *Client) Begin(ctx context.Context, mode Mode, command string) (*Transfer, error) {
	d, err := c.data(ctx, mode)
	if err != nil {
		return nil, err
	}
	return c.begin(ctx, d, command)
}

// BeginAt is Begin with an address that Passive has returned.
func (c *Client) BeginAt(ctx context.Context, address, command string) (*Transfer, error) {
	d, err := c.dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return c.begin(ctx, d, command)
}

func (c *Client) begin(ctx context.Context, d *data, command string) (*Transfer, error) {
	if _, err := c.Command(1, "%s", command); err != nil {
		d.close()
		return nil, &TransferError{Step: Commanding, Err: err}
	}
	t := &Transfer{client: c, verb: verb(command), data: d}
	conn, err := d.connection()
	if err == nil {
		conn, err = c.protect(ctx, conn)
	}
	if err != nil {
		return nil, t.fail(Opening, err)
	}
	t.conn = conn
	return t, nil
}

// fail closes the data connection and reads the server's reply about it.
func (t *Transfer) fail(step Step, err error) error {
	t.data.close()
	_, reply := t.client.expect(t.verb, 226)
	return &TransferError{Step: step, Err: fmt.Errorf("%s: %w", t.verb, err), Reply: reply}
}

// Write sends a part of the file.
func (t *Transfer) Write(p []byte) (int, error) { return t.step(t.conn.Write, p) }

// Read reads a part of the file.
func (t *Transfer) Read(p []byte) (int, error) { return t.step(t.conn.Read, p) }

func (t *Transfer) step(do func([]byte) (int, error), p []byte) (int, error) {
	if err := t.conn.SetDeadline(time.Now().Add(t.client.Patience)); err != nil {
		return 0, err
	}
	defer func() { _ = t.conn.SetDeadline(time.Time{}) }() // the transfer may pause as long as the test needs
	return do(p)
}

// Abandon closes the data connection, whatever was transferred, and does not read the server's reply.
func (t *Transfer) Abandon() { t.data.close() }

// Finish closes the data connection and reads the 226 reply. moved is the error that ended reading or writing; nil if
// the end of the file was reached. Errors are of type *TransferError.
func (t *Transfer) Finish(moved error) error {
	defer t.data.close()
	if moved == nil {
		moved = t.endData()
	}
	if moved != nil {
		return t.fail(Moving, moved)
	}
	// Close first, as clients do: a server may wait for that before it replies 226.
	t.data.close()
	if _, err := t.client.expect(t.verb, 226); err != nil {
		return &TransferError{Step: Concluding, Err: err}
	}
	return nil
}

// endData ends the client's side of an upload and waits until the server has ended its own.
func (t *Transfer) endData() error {
	if t.verb == "RETR" || t.verb == "NLST" {
		return nil
	}
	half, ok := t.conn.(interface{ CloseWrite() error })
	if !ok {
		return t.conn.Close()
	}
	if err := t.conn.SetDeadline(time.Now().Add(t.client.Patience)); err != nil {
		return err
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, t.conn)
	return err
}

// Upload is a STOR in progress: write to it, then call Finish.
type Upload struct{ transfer *Transfer }

// BeginStore starts an upload, up to the 150 reply and the data connection.
func (c *Client) BeginStore(ctx context.Context, mode Mode, path string) (*Upload, error) {
	t, err := c.Begin(ctx, mode, "STOR "+path)
	if err != nil {
		return nil, err
	}
	return &Upload{t}, nil
}

// Write sends a part of the file.
func (u *Upload) Write(p []byte) (int, error) { return u.transfer.Write(p) }

// Finish ends the file and reads the 226 reply.
func (u *Upload) Finish() error { return u.transfer.Finish(nil) }

// Store uploads a whole file.
func (c *Client) Store(ctx context.Context, mode Mode, path string, content []byte) error {
	t, err := c.Begin(ctx, mode, "STOR "+path)
	if err != nil {
		return err
	}
	_, err = t.Write(content)
	return t.Finish(err)
}

// Retrieve downloads a whole file.
func (c *Client) Retrieve(ctx context.Context, mode Mode, path string) ([]byte, error) {
	return c.read(ctx, mode, "RETR "+path)
}

// List returns the names in the current directory (NLST).
func (c *Client) List(ctx context.Context, mode Mode) ([]string, error) {
	names, err := c.read(ctx, mode, "NLST")
	return strings.Fields(string(names)), err
}

func (c *Client) read(ctx context.Context, mode Mode, command string) ([]byte, error) {
	t, err := c.Begin(ctx, mode, command)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(t)
	return content, t.Finish(err)
}
