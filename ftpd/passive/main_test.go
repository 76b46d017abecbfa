package passive

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is a timeout that is only reached if a test fails.
const long = time.Minute

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	quiet    = slog.New(slog.DiscardHandler)
)

// listen opens a pool of n free ports.
func listen(t testing.TB, host string, n int) *Pool {
	t.Helper()
	// A port that was free may be taken before the pool binds it; then listen tries others.
	var err error
	for range 20 {
		var p *Pool
		if p, err = Listen(host, freePorts(t, n), quiet); err == nil {
			t.Cleanup(func() {
				if err := p.Close(); err != nil {
					t.Errorf("close the pool: %v", err)
				}
			})
			return p
		}
	}
	t.Fatal(err)
	return nil
}

func freePorts(t testing.TB, n int) config.PortSet {
	t.Helper()
	var ports []uint16
	var listeners []net.Listener // held until the end, so that the ports differ
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	for range n {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
		ports = append(ports, uint16(l.Addr().(*net.TCPAddr).Port)) //nolint:gosec // a port
	}
	return config.NewPortSet(ports...)
}

func reserve(t testing.TB, p *Pool, r Request) *Reservation {
	t.Helper()
	reservation, err := p.Reserve(t.Context(), r)
	if err != nil {
		t.Fatalf("Reserve: %v", err)
	}
	t.Cleanup(reservation.Release)
	return reservation
}

// dial connects from the given loopback address. The caller or the end of the test closes the connection.
func dial(t testing.TB, from netip.Addr, port uint16) *net.TCPConn {
	t.Helper()
	to := loopback
	if from.Is6() {
		to = netip.IPv6Loopback()
	}
	conn, err := dialFrom(from, netip.AddrPortFrom(to, port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func dialFrom(from netip.Addr, to netip.AddrPort) (*net.TCPConn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: long}
	conn, err := d.Dial("tcp", to.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// wantDropped waits until the server closes the connection.
func wantDropped(t testing.TB, conn *net.TCPConn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(long))
	n, err := conn.Read(make([]byte, 1))
	if n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the connection is alive: read %d bytes, %v", n, err)
	}
}

// wantConnected checks that the two are the ends of one connection, and closes the server's end.
func wantConnected(t testing.TB, client, server *net.TCPConn) {
	t.Helper()
	if client.LocalAddr().(*net.TCPAddr).AddrPort().Port() != server.RemoteAddr().(*net.TCPAddr).AddrPort().Port() {
		t.Errorf("accepted a connection from %s, want %s", server.RemoteAddr(), client.LocalAddr())
	}
	if _, err := io.WriteString(server, "x"); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(client); string(got) != "x" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

// eventually calls ok until it returns true, since the accept loop works at its own pace.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(long); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never came to pass: " + what)
		}
	}
}
