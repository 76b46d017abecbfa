package socket

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Control is the socket of a control connection. It reads and writes by system calls that
// never wait (MSG_DONTWAIT), so Go's scheduler need not be told of them: after a pause, which for a
// session comes before each command, every call that it is told of wakes the thread of its monitor.
// It is for one reader and one writer at a time.
type Control struct {
	*net.TCPConn
	raw          syscall.RawConn
	in, out      nonblocking
	first        func(fd uintptr) // the first attempt of out
	writeTimeout time.Duration    // for how long the peer may leave unread what is written
	bounded      atomic.Bool      // a deadline is set by the session, which also bounds writing
	Closing      atomic.Bool      // CloseWrite comes next: its end goes with what is written, in one packet
}

// nonblocking is a system call that is tried until it need not wait.
type nonblocking struct {
	try  func(fd uintptr) bool // sets n and err; false if it would have to wait
	done bool                  // what it returned last
	p    []byte
	n    int
	err  error
}

func NewControl(conn *net.TCPConn, writeTimeout time.Duration) *Control {
	raw, _ := conn.SyscallConn() // fails for nil only
	c := &Control{TCPConn: conn, raw: raw, writeTimeout: writeTimeout}
	c.in.try = func(fd uintptr) bool { return c.in.call(unix.SYS_RECVFROM, fd, 0) }
	c.out.try = func(fd uintptr) bool {
		flags := uintptr(unix.MSG_NOSIGNAL)
		if c.Closing.Load() {
			flags |= unix.MSG_MORE
		}
		return c.out.call(unix.SYS_SENDTO, fd, flags)
	}
	c.first = func(fd uintptr) { c.out.done = c.out.try(fd) }
	return c
}

// call moves as much of p as it can; false if that is nothing yet.
func (a *nonblocking) call(trap, fd, flags uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(a.p))), uintptr(len(a.p)), unix.MSG_DONTWAIT|flags, 0, 0) //nolint:gosec // p is kept by a
		switch errno {
		case 0:
			a.n, a.err = int(n), nil //nolint:gosec // at most len(p)
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			a.n, a.err = 0, errno
			return true
		}
	}
}

// Read is net.Conn's.
func (c *Control) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.in.p = p
	err := c.raw.Read(c.in.try)
	c.in.p = nil
	switch {
	case err != nil:
		return 0, err
	case c.in.err != nil:
		return 0, c.opError("read", c.in.err)
	case c.in.n == 0:
		return 0, io.EOF
	}
	return c.in.n, nil
}

// Write is net.Conn's. If the peer does not read for writeTimeout, or until the deadline that is
// set, it fails with os.ErrDeadlineExceeded.
func (c *Control) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := c.send(p[written:])
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}

// send writes some of p.
func (c *Control) send(p []byte) (int, error) {
	c.out.p = p
	defer func() { c.out.p = nil }()
	err := c.raw.Control(c.first) // mostly there is room, and no deadline is needed
	if err == nil && !c.out.done {
		if !c.bounded.Load() {
			_ = c.SetWriteDeadline(time.Now().Add(c.writeTimeout))
		}
		err = c.raw.Write(c.out.try)
	}
	if err == nil && c.out.err != nil {
		err = c.opError("write", c.out.err)
	}
	if err != nil {
		return 0, err
	}
	return c.out.n, nil
}

// SetDeadline is net.Conn's. Until it is set to zero it bounds writing in place of writeTimeout.
func (c *Control) SetDeadline(t time.Time) error {
	c.bounded.Store(!t.IsZero())
	return c.TCPConn.SetDeadline(t)
}

func (c *Control) opError(op string, err error) error {
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		err = os.NewSyscallError(op, err)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// SendLast writes p to a connection that is closed next: the end goes with the data, in one packet.
func SendLast(conn *net.TCPConn, p []byte) (written int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	a := nonblocking{p: p}
	err = raw.Write(func(fd uintptr) bool {
		for len(a.p) > 0 {
			if !a.call(unix.SYS_SENDTO, fd, unix.MSG_NOSIGNAL|unix.MSG_MORE) {
				return false
			}
			written += a.n
			a.p = a.p[a.n:]
			if a.err != nil {
				break
			}
		}
		return true
	})
	if err == nil && a.err != nil {
		err = os.NewSyscallError("sendto", a.err)
	}
	return written, err
}

// AddrPort is a TCP address, with IPv4 as such also on a socket for both families.
func AddrPort(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort() // of a *net.TCPConn
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
