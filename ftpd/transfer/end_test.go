package transfer

import (
	"context"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// steps records what a transfer does, in order.
type steps []string

// Write records a write to the control connection.
func (s *steps) Write(p []byte) (int, error) {
	*s = append(*s, string(p))
	return len(p), nil
}

// noting is a Connector with a ready connection; it records the call of Connect.
type noting struct {
	Active
	conn  *net.TCPConn
	steps *steps
}

func (n noting) Connect(context.Context) (*net.TCPConn, error) {
	*n.steps = append(*n.steps, "connect")
	return n.conn, nil
}

// replying is a Session that writes its replies to out. Its Contain does not catch panics.
type replying struct{ out *wire.Writer }

func (s replying) Opening(text string)        { s.out.Reply(150, text) }
func (replying) Ended(*Transfer, Result)      {}
func (replying) ClientGone() bool             { return false }
func (replying) Contain(f func() error) error { return f() }

// told is a content that records when it is moved.
type told struct {
	content
	steps *steps
}

func (c told) move(_ *Transfer, conn net.Conn) error {
	*c.steps = append(*c.steps, "move")
	_, err := io.WriteString(conn, "data")
	return err
}

// The 150 must be written alone, with one call, before the data connection is used.
func TestOpeningReply(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Plan{
		"download": {Kind: Download, Opening: "Opening.", Size: 4},
		"listing":  {Kind: Listing, Opening: "Opening.", Size: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := testkit.Connected(t, socket.Listen)
			var did steps
			s := replying{out: wire.NewWriter(&did, func(int) {}, func() { t.Error("a reply failed") })}
			p.Content = told{&LinesContent{Closed: func() {}}, &did}
			tr := New(p, Options{
				Session: s, Data: noting{conn: server, steps: &did}, Timeout: time.Minute, Observer: observe.Nop{},
			})
			go tr.Run()
			got, err := io.ReadAll(client)
			_ = client.Close()
			if string(got) != "data" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if r := tr.Wait(); r.Err != nil {
				t.Error(r.Err)
			}
			if want := []string{"150 Opening.\r\n", "connect", "move"}; !slices.Equal(did, want) {
				t.Errorf("%q, want %q", did, want)
			}
		})
	}
}

// A download that took no time must end when its client has closed its side; others must not wait for that.
func TestEndOfDownload(t *testing.T) {
	t.Parallel()
	client, server := testkit.Connected(t, socket.Listen)
	tr := moving(server)
	tr.opened = time.Now().Add(time.Hour)
	var closed atomic.Bool
	go func() {
		_, _ = io.ReadAll(client)
		closed.Store(true)
		_ = client.Close()
	}()
	if err := tr.endData(server); err != nil || !closed.Load() {
		t.Errorf("%v; the client had closed its side: %v", err, closed.Load())
	}

	_, server = testkit.Connected(t, socket.Listen) // its client closes nothing
	tr = moving(server)
	tr.opened = time.Now().Add(-replyGap)
	if err := tr.endData(server); err != nil {
		t.Error(err)
	}
}
