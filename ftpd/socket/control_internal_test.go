package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// Data that is much larger than the kernel's buffers arrives completely in both directions at once.
func TestControlSocketBothWays(t *testing.T) {
	t.Parallel()
	client, server := testkit.Connected(t, Listen)
	c := NewControl(server, time.Minute)
	_ = client.SetReadBuffer(16 << 10)
	_ = server.SetWriteBuffer(16 << 10)
	_ = client.SetDeadline(time.Now().Add(time.Minute))
	want := bytes.Repeat([]byte("0123456789abcde\n"), 64<<10)
	written := make(chan error, 2)
	go func() { _, err := c.Write(want); written <- err }()
	go func() { _, err := client.Write(want); written <- err }()
	got := make(chan []byte)
	for _, r := range []io.Reader{c, client} {
		go func() {
			b, _ := io.ReadAll(io.LimitReader(r, int64(len(want))))
			got <- b
		}()
	}
	for range 2 {
		if b := <-got; !bytes.Equal(b, want) {
			t.Errorf("%d bytes of %d came, or others", len(b), len(want))
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
	_ = client.CloseWrite()
	if n, err := c.Read(make([]byte, 8)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

// A peer that does not read holds a writer up for at most writeTimeout.
func TestControlSocketUnread(t *testing.T) {
	t.Parallel()
	_, server := testkit.Connected(t, Listen)
	c := NewControl(server, 50*time.Millisecond)
	n, err := c.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 64<<20 {
		t.Errorf("%d, %v", n, err)
	}
}

// A deadline overrides writeTimeout, in both directions.
func TestControlSocketDeadline(t *testing.T) {
	t.Parallel()
	_, server := testkit.Connected(t, Listen)
	c := NewControl(server, time.Hour)
	if err := c.SetDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 8)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read: %d, %v", n, err)
	}
	if _, err := c.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write: %v", err)
	}
}

func TestControlSocketFailures(t *testing.T) {
	t.Parallel()
	client, server := testkit.Connected(t, Listen)
	c := NewControl(server, time.Minute)
	_ = client.SetLinger(0)
	_ = client.Close()
	var op *net.OpError
	if _, err := c.Read(make([]byte, 8)); !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &op) || op.Op != "read" {
		t.Errorf("Read after a reset: %v", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) || !errors.As(err, &op) || op.Op != "write" {
		t.Errorf("Write after a reset: %v", err)
	}
	_ = c.Close()
	if _, err := c.Read(make([]byte, 8)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
}

// SendLast sends all data, even to a peer that reads slowly, and does not wait for more.
func TestSendLast(t *testing.T) {
	t.Parallel()
	client, server := testkit.Connected(t, Listen)
	_ = client.SetReadBuffer(16 << 10)
	_ = server.SetWriteBuffer(16 << 10)
	want := bytes.Repeat([]byte("x"), 256<<10)
	sent := make(chan error, 1)
	go func() {
		n, err := SendLast(server, want)
		if err == nil && n != len(want) {
			err = io.ErrShortWrite
		}
		sent <- err
		_ = server.Close()
	}()
	got, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if _, err := SendLast(server, want); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestListenOptions(t *testing.T) {
	t.Parallel()
	_, server := testkit.Connected(t, Listen)
	raw, err := server.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]struct{ level, name, want int }{
		"SO_KEEPALIVE":  {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		"TCP_KEEPIDLE":  {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 30},
		"TCP_KEEPINTVL": {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
		"TCP_KEEPCNT":   {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 8},
		"SO_OOBINLINE":  {unix.SOL_SOCKET, unix.SO_OOBINLINE, 1},
		"TCP_NODELAY":   {unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		"SO_PROTOCOL":   {unix.SOL_SOCKET, unix.SO_PROTOCOL, unix.IPPROTO_TCP},
	} {
		_ = raw.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), o.level, o.name); got != o.want || err != nil {
				t.Errorf("%s: %d, %v; want %d", name, got, err, o.want)
			}
		})
	}
}
