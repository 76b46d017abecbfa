package socket

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/slots"
)

// ErrWait means that a call which never waits would have had to.
var ErrWait error = unix.EAGAIN

// Conn is a connection that was accepted and that Go's poller does not know. Its methods never wait. A small transfer
// needs no more; for anything else TCP returns it as package net has it. Only one goroutine may use it at a time.
type Conn struct {
	fd   int
	peer netip.AddrPort
	tcp  *net.TCPConn // nil until TCP is called
	// failed is the error that Open has met. The kernel reports an error once; after that the connection would look as if the
	// peer had closed it in good order.
	failed error
}

// FromTCP returns a Conn of a connection of package net.
func FromTCP(tcp *net.TCPConn) *Conn {
	return &Conn{fd: -1, peer: AddrPort(tcp.RemoteAddr()), tcp: tcp}
}

// accept accepts a connection without waiting and without telling the scheduler.
func accept(listener int) (*Conn, error) {
	for {
		var peer unix.RawSockaddrAny
		size := uint32(unix.SizeofSockaddrAny)
		fd, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), uintptr(unsafe.Pointer(&peer)), uintptr(unsafe.Pointer(&size)),
			unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0, 0)
		switch errno {
		case 0:
			return &Conn{fd: int(fd), peer: addrPort(&peer)}, nil //nolint:gosec // a descriptor
		case unix.EINTR, unix.ECONNABORTED: // the client has gone: take the next
		case unix.EAGAIN:
			return nil, ErrWait
		default:
			return nil, os.NewSyscallError("accept4", errno)
		}
	}
}

// addrPort returns an address of the kernel as AddrPort returns those of package net.
func addrPort(raw *unix.RawSockaddrAny) netip.AddrPort {
	switch raw.Addr.Family {
	case unix.AF_INET:
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), hostPort(&a.Port))
	case unix.AF_INET6:
		a := (*unix.RawSockaddrInet6)(unsafe.Pointer(raw))
		addr := netip.AddrFrom16(a.Addr).Unmap()
		if a.Scope_id != 0 {
			addr = addr.WithZone(zone(a.Scope_id))
		}
		return netip.AddrPortFrom(addr, hostPort(&a.Port))
	default:
		return netip.AddrPort{}
	}
}

// hostPort returns a port that is in network byte order.
func hostPort(port *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(port))[:])
}

// zone returns the zone of an IPv6 address as package net names it.
func zone(id uint32) string {
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(id), 10)
}

// Peer returns the address of the other end.
func (c *Conn) Peer() netip.AddrPort { return c.peer }

// control calls f with the descriptor.
func (c *Conn) control(f func(fd int)) error {
	if c.tcp == nil {
		if c.fd < 0 {
			return net.ErrClosed
		}
		f(c.fd)
		return nil
	}
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { f(int(fd)) }) //nolint:gosec // a descriptor
}

// Open reports whether the peer has not closed the connection, or has sent data that was not read.
func (c *Conn) Open() (open bool) {
	err := c.control(func(fd int) {
		var b [1]byte
		n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		open = n > 0 || errors.Is(err, unix.EAGAIN)
		if err != nil && !open {
			c.failed = os.NewSyscallError("recvfrom", err)
		}
	})
	return open && err == nil
}

// Send sends as much of p as the connection takes now. The error is ErrWait if that is not all of p. The kernel may keep
// back the last bytes, for 200 ms at most, until more is sent or the end: so the end goes with them, in one packet.
func (c *Conn) Send(p []byte) (sent int, err error) {
	if c.failed != nil {
		return 0, c.failed
	}
	a := nonblocking{p: p}
	gone := c.control(func(fd int) {
		for len(a.p) > 0 {
			if !a.call(unix.SYS_SENDTO, uintptr(fd), unix.MSG_NOSIGNAL|unix.MSG_MORE) {
				err = ErrWait
				return
			}
			if a.err != nil {
				err = os.NewSyscallError("sendto", a.err)
				return
			}
			sent += a.n
			a.p = a.p[a.n:]
		}
	})
	return sent, cmp.Or(gone, err)
}

// Recv reads what has arrived, up to len(p) bytes. Errors: ErrWait if nothing has arrived, and io.EOF at the end.
func (c *Conn) Recv(p []byte) (n int, err error) {
	if c.failed != nil {
		return 0, c.failed
	}
	a := nonblocking{p: p}
	gone := c.control(func(fd int) {
		switch {
		case !a.call(unix.SYS_RECVFROM, uintptr(fd), 0):
			err = ErrWait
		case a.err != nil:
			err = os.NewSyscallError("recvfrom", a.err)
		case a.n == 0:
			err = io.EOF
		}
	})
	return a.n, cmp.Or(gone, err)
}

// Await blocks its thread until the connection can be read or has failed. Errors: os.ErrDeadlineExceeded if that takes
// longer than most; ErrWait, at once, if MaxAwaiting threads wait already.
func (c *Conn) Await(most time.Duration) error {
	until := time.Now().Add(most)
	if !awaiting.TryEnter() {
		return ErrWait
	}
	defer awaiting.Leave()
	for {
		var n int
		var err error
		left := time.Until(until)
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		gone := c.control(func(fd int) {
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a descriptor
			timeout := unix.NsecToTimespec(int64(left))
			n, err = unix.Ppoll(p, &timeout, nil)
		})
		switch {
		case gone != nil:
			return gone
		case n > 0:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return os.NewSyscallError("ppoll", err)
		}
	}
}

// MaxAwaiting is the number of threads that may block in Await at one time.
const MaxAwaiting = 32

var awaiting = slots.New(MaxAwaiting)

// CloseWrite ends what is sent.
func (c *Conn) CloseWrite() (err error) {
	gone := c.control(func(fd int) {
		if _, _, errno := unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0); errno != 0 {
			err = os.NewSyscallError("shutdown", errno)
		}
	})
	return cmp.Or(gone, err)
}

// AwaitEnd discards what arrives until the peer has closed its side, the connection has failed, or most bytes have arrived.
// It blocks its thread, but for the time spin keeps a processor instead, because a thread that sleeps takes long to wake.
// Its errors are those of Await, with until as the end of the time.
func (c *Conn) AwaitEnd(until time.Time, most int, spin time.Duration) error {
	var spun time.Time // when spinning ends
	for most > 0 {
		n, err := c.discard(most)
		most -= n
		switch {
		case errors.Is(err, ErrWait) && spin > 0 && spun.IsZero():
			if spun = time.Now().Add(spin); until.Before(spun) {
				spun = until
			}
		case errors.Is(err, ErrWait) && time.Now().Before(spun):
		case errors.Is(err, ErrWait):
			if err := c.Await(time.Until(until)); err != nil {
				return err
			}
		case err != nil:
			return nil //nolint:nilerr // the end, of whichever kind
		}
	}
	return nil
}

// discard is Recv without a place for the data: with MSG_TRUNC the kernel discards what it would copy (tcp(7)).
func (c *Conn) discard(most int) (n int, err error) {
	gone := c.control(func(fd int) {
		for {
			got, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), 0, uintptr(most), unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
			switch {
			case errno == unix.EINTR:
				continue
			case errno == unix.EAGAIN:
				err = ErrWait
			case errno != 0:
				err = os.NewSyscallError("recvfrom", errno)
			case got == 0:
				err = io.EOF
			default:
				n = int(got) //nolint:gosec // not more than most
			}
			return
		}
	})
	return n, cmp.Or(gone, err)
}

// TCP returns the connection as package net has it, with a place in Go's poller. The Conn must not be used any more.
// After an error the connection is closed.
func (c *Conn) TCP() (*net.TCPConn, error) {
	if c.failed != nil {
		_ = c.Close()
		return nil, c.failed
	}
	if c.tcp != nil {
		return c.tcp, nil
	}
	file := os.NewFile(uintptr(c.fd), "tcp")
	c.fd = -1
	if file == nil {
		return nil, net.ErrClosed
	}
	conn, err := net.FileConn(file) // of a duplicate
	_ = file.Close()
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok || tcp.RemoteAddr() == nil { // it has none if the peer has reset the connection
		_ = conn.Close()
		return nil, os.NewSyscallError("getpeername", unix.ECONNRESET)
	}
	_ = tcp.SetKeepAlive(false) // package net sets it; a transfer has timeouts of its own
	c.tcp = tcp
	return tcp, nil
}

// Close closes the connection.
func (c *Conn) Close() error {
	if c.tcp != nil {
		return c.tcp.Close()
	}
	if c.fd < 0 {
		return net.ErrClosed
	}
	fd := c.fd
	c.fd = -1
	if _, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0); errno != 0 { // a TCP connection is closed without waiting
		return os.NewSyscallError("close", errno)
	}
	return nil
}
