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

// Control is the socket of a control connection. It reads and writes by system calls that never block (MSG_DONTWAIT)
// and that Go's scheduler does not know of. A system call that the scheduler knows of wakes the thread of its monitor
// if it comes after a pause, and a session pauses before each command. One goroutine may read while another one
// writes.
type Control struct {
	*net.TCPConn
	raw          syscall.RawConn
	in, out      nonblocking
	first        func(fd uintptr) // tries out once
	writeTimeout time.Duration    // how long the peer may leave unread what is written
	bounded      atomic.Bool      // the session has set a deadline, which also bounds writing
	// Closing is set before the last write: CloseWrite comes next, and the end of the connection goes with the data,
	// in one packet.
	Closing atomic.Bool
}

// nonblocking is a system call that is repeated until it does not have to wait.
type nonblocking struct {
	try  func(fd uintptr) bool // sets n and err; returns false if the call would have to wait
	done bool                  // what try returned last
	p    []byte
	n    int
	err  error
}

// NewControl returns the Control of conn. writeTimeout bounds how long Write waits for a peer that does not read.
func NewControl(conn *net.TCPConn, writeTimeout time.Duration) *Control {
	raw, _ := conn.SyscallConn() // fails only for a nil conn
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

// call transfers as much of p as it can. It returns false if it can't transfer anything yet.
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

// Read implements net.Conn.
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

// Write implements net.Conn. It fails with os.ErrDeadlineExceeded if the peer does not read for writeTimeout or, if a
// deadline is set, until the deadline.
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

// send writes a part of p and returns its length.
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

// SetDeadline implements net.Conn. While a deadline other than zero is set, it bounds writing instead of
// writeTimeout.
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

// SendLast writes p to a connection that the caller closes next. The end of the connection goes with the data, in one
// packet.
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

// AddrPort returns a TCP address. An IPv4 address is returned as IPv4 even if its socket is for both families.
func AddrPort(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort() // the address of a *net.TCPConn
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
