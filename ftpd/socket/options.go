package socket

import (
	"context"
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// ReuseAddress lets several connections, to different clients, come from one local port.
func ReuseAddress(_, _ string, conn syscall.RawConn) error {
	var optErr error
	err := conn.Control(func(fd uintptr) {
		optErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	})
	return errors.Join(err, optErr)
}

// Listen listens for control connections, which inherit the listener's socket options. It does without
// Multipath TCP, which has no urgent data: ABOR comes as such.
func Listen(address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: prepareControl}
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), "tcp", address)
}

// prepareControl sets the options of a listener. What fails is not essential.
func prepareControl(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		for _, o := range []struct{ level, name, value int }{
			// Middleboxes forget connections that are silent during a long transfer. Seconds.
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
			{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 30},
			{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
			{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 8},
			// Clients send ABOR as urgent data (the Telnet Synch); it belongs to the stream.
			{unix.SOL_SOCKET, unix.SO_OOBINLINE, 1},
		} {
			_ = unix.SetsockoptInt(int(fd), o.level, o.name, o.value) //nolint:gosec // a descriptor
		}
	})
}

// QuickAck has the kernel acknowledge at once what has come. After the handshake of TLS 1.3 an upload's client
// gets nothing that could carry the acknowledgement of its last message, and where Nagle's algorithm is left
// on (PHP) it sends nothing before that comes, which the kernel delays by 40 ms.
func QuickAck(conn *net.TCPConn) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) //nolint:gosec // a descriptor
		})
	}
}
