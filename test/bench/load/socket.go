// Package load is the client side of the benchmark. It uses little CPU time, so that the measurement is about the
// servers: it makes system calls on its own sockets instead of using Go's poller, discards received data in the kernel,
// and sends data from the page cache.
//
// Small files and logins, where the client's own work counts most, are repeated by Repeat and Logins: a thread drives many
// sessions as state machines over epoll. All else is done by lanes that block.
//
// Each lane and each such thread keeps an OS thread and a processor of the scheduler while it waits, so GOMAXPROCS should be
// larger than the number of lanes.
package load

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patience is the time that a lane waits for a server.
const patience = 60 * time.Second

// socket is a blocking TCP connection. It implements net.Conn, without deadlines, for crypto/tls.
type socket struct{ fd int }

// dial opens a connection.
func dial(to netip.AddrPort) (*socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &socket{fd}
	limit := unix.NsecToTimeval(int64(patience))
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	for {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("connect to %v: %w", to, err)
	}
	return s, nil
}

// again repeats do while a signal interrupts it.
func again(do func() (int, error)) (int, error) {
	for {
		n, err := do()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func (s *socket) Read(p []byte) (int, error) {
	n, err := again(func() (int, error) { return unix.Read(s.fd, p) })
	if n == 0 && err == nil && len(p) > 0 {
		return 0, io.EOF
	}
	return max(n, 0), os.NewSyscallError("read", err)
}

func (s *socket) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := again(func() (int, error) { return unix.Write(s.fd, p[written:]) })
		if err != nil {
			return written, os.NewSyscallError("write", err)
		}
		written += n
	}
	return written, nil
}

// discard reads and discards data, without copying it, until the end or until more than most bytes were received; it
// returns their number.
func (s *socket) discard(most int64) (total int64, err error) {
	// With MSG_TRUNC the kernel does not write to the buffer, but Go needs one of that length.
	for total <= most {
		n, err := again(func() (int, error) {
			n, _, err := unix.Recvfrom(s.fd, nowhere, unix.MSG_TRUNC)
			return n, err
		})
		if err != nil {
			return total, os.NewSyscallError("recv", err)
		}
		if n == 0 {
			return total, nil
		}
		total += int64(n)
	}
	return total, nil
}

// nowhere is a buffer of the size that discard reads at a time; nothing is written to it.
var nowhere = make([]byte, 1<<20)

// sendFile sends the first n bytes of a file.
func (s *socket) sendFile(f *os.File, n int64) error {
	var offset int64
	for offset < n {
		sent, err := again(func() (int, error) {
			return unix.Sendfile(s.fd, int(f.Fd()), &offset, int(min(n-offset, 1<<30)))
		})
		if err != nil {
			return os.NewSyscallError("sendfile", err)
		}
		if sent == 0 {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

func (s *socket) closeWrite() error { return unix.Shutdown(s.fd, unix.SHUT_WR) }

func (s *socket) Close() error { return unix.Close(s.fd) }

func (s *socket) LocalAddr() net.Addr              { return nil }
func (s *socket) RemoteAddr() net.Addr             { return nil }
func (s *socket) SetDeadline(time.Time) error      { return nil }
func (s *socket) SetReadDeadline(time.Time) error  { return nil }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }
