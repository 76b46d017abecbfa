// Package load is the client side of the benchmark. It is meant to be light, so that the servers
// are what is measured: blocking system calls on sockets of its own instead of Go's poller, what
// comes is thrown away in the kernel, and what goes is sent from the page cache.
//
// Each lane holds a thread of the system while it waits, so GOMAXPROCS should be above the number
// of lanes.
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

// patience is how long a server may let a lane wait.
const patience = 60 * time.Second

// socket is a blocking TCP connection. It is a net.Conn, without deadlines, for TLS's sake.
type socket struct{ fd int }

// dial connects.
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

// again calls do until a signal does not interrupt it.
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

// discard throws away what comes, without copying it, until the end or until more than most bytes
// have come; it returns how many.
func (s *socket) discard(most int64) (total int64, err error) {
	// With MSG_TRUNC the kernel does not touch the buffer; Go only wants one of that length.
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

// nowhere is as much as discard takes at a time; nothing is ever written to it.
var nowhere = make([]byte, 1<<20)

// sendFile sends n bytes from a file's begin.
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
