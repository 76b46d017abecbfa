package passive

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// listener is the listener of one port. It numbers connections in the order in which they were made. So it can tell
// whether a connection was made before a given moment, even if it was accepted later.
type listener struct {
	*net.TCPListener
	// file is the same socket under another descriptor. Package os, unlike package net, can wait until a connection
	// is there without accepting it.
	file *os.File
	raw  syscall.RawConn

	// mu is held while a connection is taken out of the kernel's queue. So a connection is counted either in taken or
	// in the queue, and never in both or neither.
	mu    sync.Mutex
	taken uint64
	// met is the number of connections that had been dealt with when accept was called last.
	met uint64
}

// newListener returns the listener of tcp. It closes tcp if it fails.
func newListener(tcp *net.TCPListener) (*listener, error) {
	file, err := tcp.File()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listener %s: %w", tcp.Addr(), err), tcp.Close())
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listener %s: %w", tcp.Addr(), err), file.Close(), tcp.Close())
	}
	return &listener{TCPListener: tcp, file: file, raw: raw}, nil
}

func (l *listener) Close() error { return errors.Join(l.file.Close(), l.TCPListener.Close()) }

// accept waits for the next connection, and returns it with its number, which is 1 for the first. Only one goroutine
// may call it; it must have dealt with a connection when it asks for the next one.
func (l *listener) accept() (*net.TCPConn, uint64, error) {
	l.mu.Lock()
	l.met = l.taken
	l.mu.Unlock()
	err := l.raw.Read(func(fd uintptr) (there bool) {
		l.mu.Lock()
		if there = readable(fd); !there {
			l.mu.Unlock()
		}
		return there
	})
	if err != nil {
		// Close is the only reason for an error here, and package os has its own error for it.
		return nil, 0, net.ErrClosed
	}
	defer l.mu.Unlock()
	conn, err := l.AcceptTCP() // does not wait: a connection is there, and no other goroutine accepts
	if err != nil {
		return nil, 0, err
	}
	l.taken++
	return conn, l.taken, nil
}

// last returns the number of the connection that was made last.
func (l *listener) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken + l.queued()
}

// more reports whether there are connections that were not dealt with yet.
func (l *listener) more() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken > l.met || l.queued() > 0
}

// queued returns the number of connections in the kernel's queue. The caller holds mu.
func (l *listener) queued() (n uint64) {
	_ = l.raw.Control(func(fd uintptr) {
		// For a listener, tcpi_unacked is the length of its queue (tcp_get_info in net/ipv4/tcp.c).
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil { //nolint:gosec // a descriptor
			n = uint64(info.Unacked)
		}
	})
	return n
}

// readable reports whether a connection is in the listener's queue.
func readable(fd uintptr) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0) //nolint:gosec // a descriptor
		if !errors.Is(err, unix.EINTR) {
			return n > 0
		}
	}
}
