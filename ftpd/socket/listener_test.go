package socket_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// long is a time that passes only if a test fails.
const long = time.Minute

// quiet returns a listener on an address of this machine.
func quiet(t *testing.T, host string) *socket.Listener {
	t.Helper()
	l, err := socket.ListenQuiet(net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// accepted returns both ends of a connection to l.
func accepted(t *testing.T, l *socket.Listener) (*net.TCPConn, *socket.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", netip.AddrPortFrom(loopbackOf(l), l.Addr().Port()).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	for deadline := time.Now().Add(long); ; <-time.After(time.Millisecond) {
		conn, err := l.Accept()
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			return client.(*net.TCPConn), conn
		}
		if !errors.Is(err, socket.ErrWait) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func loopbackOf(l *socket.Listener) netip.Addr {
	if l.Addr().Addr().Is4() {
		return netip.MustParseAddr("127.0.0.1")
	}
	return netip.IPv6Loopback()
}

// A connection has the address that package net gives to it, of either family, also if its listener has both.
func TestPeer(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "::1", ""} {
		client, conn := accepted(t, quiet(t, host))
		if want := socket.AddrPort(client.LocalAddr()); conn.Peer() != want {
			t.Errorf("%q: peer %v, want %v", host, conn.Peer(), want)
		}
		tcp, err := conn.TCP()
		if err != nil {
			t.Fatal(err)
		}
		if got := socket.AddrPort(tcp.RemoteAddr()); got != conn.Peer() {
			t.Errorf("%q: as package net has it %v, want %v", host, got, conn.Peer())
		}
	}
}

// Accept does not wait, and tells the end of the listener from an empty queue.
func TestListenerAccept(t *testing.T) {
	t.Parallel()
	l := quiet(t, "127.0.0.1")
	if _, err := l.Accept(); !errors.Is(err, socket.ErrWait) {
		t.Errorf("of an empty queue: %v", err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("of a closed listener: %v", err)
	}
}

// The calls of a Conn do not wait; what was sent arrives, in the raw form and as package net has it.
func TestConn(t *testing.T) {
	t.Parallel()
	client, conn := accepted(t, quiet(t, "127.0.0.1"))
	buf := make([]byte, 16)
	if _, err := conn.Recv(buf); !errors.Is(err, socket.ErrWait) {
		t.Errorf("Recv of nothing: %v", err)
	}
	if err := conn.Await(time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) || !conn.Open() {
		t.Error("a silent connection can be read, or is closed")
	}
	_, _ = client.Write([]byte("ping"))
	if err := conn.Await(long); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Recv(buf); err != nil || string(buf[:n]) != "ping" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	if n, err := conn.Send([]byte("pong")); n != 4 || err != nil {
		t.Errorf("sent %d: %v", n, err)
	}
	tcp, err := conn.TCP()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = tcp.Write([]byte("pang"))
	_ = tcp.CloseWrite()
	if got, err := io.ReadAll(client); string(got) != "pongpang" || err != nil {
		t.Errorf("the client got %q, %v", got, err)
	}
	_ = client.Close()
	if n, err := tcp.Read(buf); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

// Send sends what fits, and says so.
func TestSendAll(t *testing.T) {
	t.Parallel()
	client, conn := accepted(t, quiet(t, "127.0.0.1"))
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	n, err := conn.Send(data)
	if n == 0 || n == len(data) || !errors.Is(err, socket.ErrWait) {
		t.Fatalf("sent %d of %d to a client that does not read: %v", n, len(data), err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, data[:n]) {
		t.Errorf("%d bytes of %d arrived: %v", len(got), n, err)
	}
}

// AwaitEnd returns at the end of the peer's data, at the time, or after so many bytes.
func TestAwaitEnd(t *testing.T) {
	t.Parallel()
	l := quiet(t, "127.0.0.1")
	ways := map[string]func(*net.TCPConn, *socket.Conn, time.Duration) error{
		"end": func(client *net.TCPConn, conn *socket.Conn, spin time.Duration) error {
			_, _ = client.Write([]byte("late data"))
			_ = client.CloseWrite()
			return conn.AwaitEnd(time.Now().Add(long), 1<<10, spin)
		},
		"time": func(_ *net.TCPConn, conn *socket.Conn, spin time.Duration) error {
			if err := conn.AwaitEnd(time.Now().Add(time.Millisecond), 1<<10, spin); !errors.Is(err, os.ErrDeadlineExceeded) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		},
		"most": func(client *net.TCPConn, conn *socket.Conn, spin time.Duration) error {
			_, _ = client.Write(make([]byte, 2<<10))
			return conn.AwaitEnd(time.Now().Add(long), 1<<10, spin)
		},
	}
	for name, do := range ways {
		for _, spin := range []time.Duration{0, 50 * time.Microsecond, long} {
			client, conn := accepted(t, l)
			if err := do(client, conn, spin); err != nil {
				t.Errorf("%s, spinning for %v: %v", name, spin, err)
			}
		}
	}
}

// A connection that the client has reset is never taken for one that it has closed, however often it was looked at.
func TestReset(t *testing.T) {
	t.Parallel()
	l := quiet(t, "127.0.0.1")
	for _, looks := range []int{0, 1, 2} {
		client, conn := accepted(t, l)
		_ = client.SetLinger(0)
		_ = client.Close()
		if err := conn.Await(long); err != nil {
			t.Fatal(err)
		}
		for range looks {
			if conn.Open() {
				t.Error("a connection that was reset is open")
			}
		}
		if n, err := conn.Recv(make([]byte, 1)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after %d looks: read %d, %v", looks, n, err)
		}
	}
	client, conn := accepted(t, l)
	_ = client.SetLinger(0)
	_ = client.Close()
	if err := conn.Await(long); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.TCP(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("as package net has it: %v", err)
	}
}

// When too many threads wait, one more does not, and is told so. (Not in parallel: other tests wait, too.)
func TestAwaitIsBounded(t *testing.T) { //nolint:paralleltest // see above
	l := quiet(t, "127.0.0.1")
	var waiting sync.WaitGroup
	var clients []*net.TCPConn
	defer func() {
		for _, client := range clients {
			_ = client.Close() // ends the wait
		}
		waiting.Wait()
	}()
	for range socket.MaxAwaiting {
		client, conn := accepted(t, l)
		clients = append(clients, client)
		waiting.Go(func() { _ = conn.Await(long) })
	}
	_, conn := accepted(t, l)
	for deadline := time.Now().Add(long); !errors.Is(conn.Await(time.Microsecond), socket.ErrWait); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("any number of threads may wait")
		}
	}
}

// A Watch names a listener that is always watched as long as it has connections, and another one once after Arm.
func TestWatch(t *testing.T) {
	t.Parallel()
	w, err := socket.NewWatch(true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // closed below
	always, armed := quiet(t, "127.0.0.1"), quiet(t, "127.0.0.1")
	if err := errors.Join(w.Add(always, 1, true), w.Add(armed, 2, false)); err != nil {
		t.Fatal(err)
	}
	dial := func(l *socket.Listener) {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	dial(armed)
	dial(always)
	for range 2 {
		if ids, err := w.Wait(); len(ids) != 1 || ids[0] != 1 || err != nil {
			t.Fatalf("named %v, %v; want the first", ids, err)
		}
	}
	conn, err := always.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if ids, err := w.Ready(); len(ids) != 0 || err != nil {
		t.Errorf("named %v, %v; want none", ids, err)
	}
	if err := w.Arm(armed, 2); err != nil { // it has a connection already
		t.Fatal(err)
	}
	if ids, err := w.Wait(); len(ids) != 1 || ids[0] != 2 || err != nil {
		t.Fatalf("named %v, %v; want the second", ids, err)
	}
	if ids, err := w.Ready(); len(ids) != 0 || err != nil {
		t.Errorf("named %v, %v again", ids, err)
	}
	ended := make(chan error)
	go func() {
		_, err := w.Wait()
		ended <- err
	}()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Wait ends with %v", err)
	}
}
