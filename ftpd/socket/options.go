package socket

import (
	"context"
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// ReuseAddress sets SO_REUSEADDR, so that several connections, to different clients, may use the same local port. It
// is a Control function of net.Dialer.
func ReuseAddress(_, _ string, conn syscall.RawConn) error {
	var optErr error
	err := conn.Control(func(fd uintptr) {
		optErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	})
	return errors.Join(err, optErr)
}

// Listen listens for control connections, which inherit the listener's socket options. It disables Multipath TCP,
// which has no urgent data: clients send ABOR as urgent data.
func Listen(address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: prepareControl}
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), "tcp", address)
}

// prepareControl sets the options of a listener. Errors are ignored: the options are not essential.
func prepareControl(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		for _, o := range []struct{ level, name, value int }{
			// Middleboxes forget connections that are silent during a long transfer. Values are in seconds.
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
			{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 30},
			{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
			{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 8},
			// Clients send ABOR as urgent data (the Telnet Synch); it has to stay in the stream.
			{unix.SOL_SOCKET, unix.SO_OOBINLINE, 1},
		} {
			_ = unix.SetsockoptInt(int(fd), o.level, o.name, o.value) //nolint:gosec // a descriptor
		}
	})
}

// QuickAck makes the kernel acknowledge at once what has arrived. After a TLS 1.3 handshake the server sends the
// client of an upload nothing that could carry the acknowledgement of the client's last message. A client that leaves
// Nagle's algorithm on (PHP) sends nothing until that acknowledgement comes, and the kernel delays it by 40 ms.
func QuickAck(conn *net.TCPConn) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) //nolint:gosec // a descriptor
		})
	}
}
