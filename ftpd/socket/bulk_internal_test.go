package socket

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

func TestSendHere(t *testing.T) {
	t.Parallel()
	client, server := testkit.Connected(t, Listen)
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	f := testkit.File(t, 0)
	if _, err := f.WriteAt(want, 0); err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte, 1)
	go func() { b, _ := io.ReadAll(client); got <- b }()
	sent := int64(0)
	for sent < int64(len(want)) {
		n, err := SendFileBlocking(server, f, int64(len(want))-sent)
		if sent += n; err != nil {
			t.Fatal(err)
		}
	}
	// The file ends before n octets are sent.
	if n, err := SendFileBlocking(server, f, 1); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("at the end of the file: %d, %v", n, err)
	}
	_ = server.Close()
	if b := <-got; !bytes.Equal(b, want) {
		t.Errorf("%d bytes of %d came, or others", len(b), len(want))
	}
}

// SendFileBlocking returns soon if the client does not read, and it counts what was sent.
func TestSendHereUnread(t *testing.T) {
	t.Parallel()
	client, server := testkit.Connected(t, Listen)
	PrepareBulk(server)
	f := testkit.File(t, 64<<20)
	sent := int64(0)
	ended := make(chan error, 1)
	go func() {
		for {
			n, err := SendFileBlocking(server, f, 64<<20-sent)
			if sent += n; err != nil || n == 0 {
				ended <- err
				return
			}
		}
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for a client that does not read")
	}
	if at, err := f.Seek(0, io.SeekCurrent); sent == 0 || sent == 64<<20 || at != sent || err != nil {
		t.Errorf("%d bytes were sent, and the file is at %d, %v", sent, at, err)
	}
	_ = client.SetLinger(0)
	_ = client.Close()
	if n, err := SendFileBlocking(server, f, 1); n != 0 || !IsBroken(err) {
		t.Errorf("after a reset: %d, %v", n, err)
	}
	_ = server.Close()
	if n, err := SendFileBlocking(server, f, 1); n != 0 || err == nil {
		t.Errorf("after Close: %d, %v", n, err)
	}
}

// A client that always takes a little occupies the thread only for a bounded time.
func TestSendHereSlowly(t *testing.T) {
	t.Parallel()
	client, server := testkit.Connected(t, Listen)
	_ = client.SetReadBuffer(16 << 10)
	_ = server.SetWriteBuffer(16 << 10)
	f := testkit.File(t, 64<<20)
	go func() {
		buf := make([]byte, 8<<10)
		for range time.Tick(time.Millisecond) {
			if _, err := client.Read(buf); err != nil {
				return
			}
		}
	}()
	if n, err := SendFileBlocking(server, f, 64<<20); n == 64<<20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestPrepareBulk(t *testing.T) {
	t.Parallel()
	_, server := testkit.Connected(t, Listen)
	PrepareBulk(server)
	raw, err := server.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		lowat, err1 := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT)
		delay, err2 := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY)
		if lowat != unsent || delay != 0 || errors.Join(err1, err2) != nil {
			t.Errorf("TCP_NOTSENT_LOWAT %d, TCP_NODELAY %d, %v, %v", lowat, delay, err1, err2)
		}
	})
}
