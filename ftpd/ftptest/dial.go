package ftptest

import (
	"net"
	"testing"
)

// DialFrom is like Dial, and connects from the given IP address, such as 127.0.0.2.
func DialFrom(t testing.TB, from, addr string) *Client {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: Patience(t)}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return newClient(t, conn.(*net.TCPConn))
}
