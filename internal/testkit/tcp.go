package testkit

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Connected returns the two ends of a TCP connection over loopback. The server's end comes from a listener that
// listen makes for an address. Both are closed when the test ends.
func Connected(tb testing.TB, listen func(address string) (net.Listener, error)) (client, server *net.TCPConn) {
	tb.Helper()
	l, err := listen("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it has served
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = dialled.Close()
		_ = accepted.Close()
	})
	return dialled.(*net.TCPConn), accepted.(*net.TCPConn)
}

// File returns a sparse file of size bytes, open for reading and writing. It is removed when the test ends.
func File(tb testing.TB, size int64) *os.File {
	tb.Helper()
	f, err := os.Create(filepath.Join(tb.TempDir(), "file"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	if err := f.Truncate(size); err != nil {
		tb.Fatal(err)
	}
	return f
}
