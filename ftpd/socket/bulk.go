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
	// Bulk is from how much on a download is worth the calls that prepare its connection.
	Bulk = 1 << 20
	// unsent is how much of a download the kernel may have that is not on its way yet, in bytes. What
	// is on its way comes on top, so this costs no rate over long distances; without a bound it is
	// several MiB, which don't stay in the processor's cache.
	unsent = 256 << 10
	// roomIn is for how long a thread waits for a client to take more, and threadTime for how long a
	// thread sends to a client that always does.
	roomIn     = 10 * time.Millisecond
	threadTime = 50 * time.Millisecond
)

// PrepareBulk sets what suits a connection that carries much in one direction, written in large
// pieces. What fails is not essential.
func PrepareBulk(conn *net.TCPConn) {
	_ = conn.SetNoDelay(false) // full packets: Go has set it
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent) //nolint:gosec // a descriptor
		})
	}
}

// SendFileBlocking sends up to n octets of f by sendfile to a client that takes them fast: the thread waits
// for it, which spares the scheduler two switches each time that the client has made room. It
// returns when that takes longer than roomIn, or all of it longer than threadTime, and so needs no
// deadline and sees no abort. The caller bounds the threads that wait.
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

// room waits until a socket takes more, or fails; false if that takes too long.
func room(socket int) bool {
	p := []unix.PollFd{{Fd: int32(socket), Events: unix.POLLOUT}} //nolint:gosec // a descriptor
	n, err := unix.Poll(p, int(roomIn.Milliseconds()))
	return n > 0 || errors.Is(err, unix.EINTR)
}
