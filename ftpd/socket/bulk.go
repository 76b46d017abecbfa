package socket

import (
	"cmp"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// Bulk is the size in bytes of a download from which it is worth the calls that prepare its connection.
	Bulk = 1 << 20
	// unsent bounds how much of a download the kernel may hold that is not sent yet, in bytes. What is sent and not
	// acknowledged comes on top, so the bound costs no rate over long distances. Without it the kernel holds several
	// MiB, which don't stay in the processor's cache.
	unsent = 256 << 10
	// roomIn bounds one wait of a thread for room in the socket; threadTime bounds all waits and sends of one call.
	roomIn     = 10 * time.Millisecond
	threadTime = 50 * time.Millisecond
)

// PrepareBulk sets the options of a connection that carries much data in one direction, written in large pieces.
// Errors are ignored: the options only affect speed.
func PrepareBulk(conn *net.TCPConn) {
	_ = conn.SetNoDelay(false) // wait for full packets; Go sets TCP_NODELAY
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent) //nolint:gosec // a descriptor
		})
	}
}

// SendFileBlocking sends up to n octets of f by sendfile to a client that takes them fast. The thread itself waits
// for the client, which saves two switches of the scheduler each time that the client has made room. The call returns
// when the client makes no room for roomIn, or after threadTime in all; so it needs no deadline, and it does not
// notice an abort meanwhile. It returns io.EOF at the end of f. The caller bounds the number of threads that wait.
func SendFileBlocking(conn *net.TCPConn, f syscall.Conn, n int64) (sent int64, err error) {
	to, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	from, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	gone := to.Control(func(socket uintptr) {
		closed := from.Control(func(file uintptr) {
			sent, err = sendfile(int(socket), int(file), n) //nolint:gosec // descriptors
		})
		err = cmp.Or(closed, err)
	})
	return sent, cmp.Or(gone, err)
}

// sendfile calls sendfile(2) until n octets are sent, the file ends (io.EOF), or the time is up (nil).
func sendfile(socket, file int, n int64) (sent int64, err error) {
	until := time.Now().Add(threadTime)
	for sent < n {
		m, err := unix.Sendfile(socket, file, nil, int(n-sent))
		switch {
		case err == nil && m == 0:
			return sent, io.EOF
		case err == nil:
			sent += int64(m)
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EAGAIN):
			return sent, os.NewSyscallError("sendfile", err)
		case !room(socket) || time.Now().After(until):
			return sent, nil
		}
	}
	return sent, nil
}

// room waits until the socket has room or fails. It returns false if that takes longer than roomIn.
func room(socket int) bool {
	p := []unix.PollFd{{Fd: int32(socket), Events: unix.POLLOUT}} //nolint:gosec // a descriptor
	n, err := unix.Poll(p, int(roomIn.Milliseconds()))
	return n > 0 || errors.Is(err, unix.EINTR)
}
