package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Listener is a listening TCP socket that Go's poller does not know: a connection that comes wakes no goroutine. A
// Watch says which of many listeners have connections.
type Listener struct {
	mu     sync.RWMutex // held for writing while the descriptor is closed
	fd     int
	closed bool
}

// ListenQuiet listens on address, host:port, as net.Listen does for "tcp". It disables Multipath TCP, with which
// splice does not work.
func ListenQuiet(address string) (*Listener, error) {
	// Package net chooses the family and falls back where one is missing. The socket outlives its listener in a
	// duplicate of the descriptor.
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	defer l.Close() //nolint:errcheck // the duplicate is used instead
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	failed := raw.Control(func(of uintptr) { fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(failed, os.NewSyscallError("fcntl", err)); err != nil {
		return nil, err
	}
	return &Listener{fd: fd}, nil
}

// use calls f with the descriptor, which stays open meanwhile. It returns net.ErrClosed if the listener is closed.
func (l *Listener) use(f func(fd int) error) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return net.ErrClosed
	}
	return f(l.fd)
}

// Accept takes a connection from the queue, and never waits. Errors: ErrWait if the queue is empty, net.ErrClosed
// after Close, and those of accept(2), of which IsTransient says whether they may pass.
func (l *Listener) Accept() (conn *Conn, err error) {
	err = l.use(func(fd int) error {
		conn, err = accept(fd)
		return err
	})
	return conn, err
}

// Queued returns the number of connections in the queue, or 0 if it is not known.
func (l *Listener) Queued() (n int) {
	_ = l.use(func(fd int) error {
		// For a listener, tcpi_unacked is the length of its queue (tcp_get_info in net/ipv4/tcp.c).
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			n = int(info.Unacked)
		}
		return err
	})
	return n
}

// Addr returns the address that the listener is bound to, or the zero AddrPort after Close.
func (l *Listener) Addr() (addr netip.AddrPort) {
	_ = l.use(func(fd int) error {
		sa, err := unix.Getsockname(fd)
		switch sa := sa.(type) {
		case *unix.SockaddrInet4:
			addr = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)) //nolint:gosec // a port
		case *unix.SockaddrInet6:
			addr = netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)) //nolint:gosec // a port
		}
		return err
	})
	return addr
}

// Close closes the listener. The connections in its queue are reset. Close may be called again.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	return os.NewSyscallError("close", unix.Close(l.fd))
}
