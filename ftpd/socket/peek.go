package socket

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// PeerClosed reports whether the peer has closed the connection and everything it sent was read. It takes no data
// from the goroutine that reads, which may not have been scheduled yet.
func PeerClosed(conn syscall.Conn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	ended := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		ended = n == 0 && err == nil || err == unix.ECONNRESET
	})
	return ended || err != nil
}

// Discard reads and discards what has arrived on the connection and was not read yet, up to most bytes. It does not
// wait.
func Discard(conn syscall.Conn, most int) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		var buf [4096]byte
		for range most / len(buf) {
			if n, _, err := unix.Recvfrom(int(fd), buf[:], unix.MSG_DONTWAIT); n <= 0 || err != nil {
				return
			}
		}
	})
}
