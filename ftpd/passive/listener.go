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

// listener is that of a port. It numbers the connections in the order in which they were made. So it is known
// of each whether it was there before a moment, although nobody may have had time to accept it by then.
type listener struct {
	*net.TCPListener
	// file is the same socket by another descriptor. Package net tells of no listener when a connection is there,
	// and package os does.
	file *os.File
	raw  syscall.RawConn

	// mu is held while a connection is taken out of the kernel's queue, so that it is in taken or there, and
	// never in both or neither.
	mu    sync.Mutex
	taken uint64
	// met are those that were dealt with before accept was called again.
	met uint64
}

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

// accept waits for the next connection, and returns its number: 1 is the first one. It is for one goroutine, which
// has dealt with a connection when it asks for the next.
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
		// There is no other reason than Close, of which package os has an error of its own.
		return nil, 0, net.ErrClosed
	}
	defer l.mu.Unlock()
	conn, err := l.AcceptTCP() // does not wait: nobody else accepts
	if err != nil {
		return nil, 0, err
	}
	l.taken++
	return conn, l.taken, nil
}

// last is the number of the connection that was made last.
func (l *listener) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken + l.queued()
}

// more reports whether connections were made that were not dealt with yet.
func (l *listener) more() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken > l.met || l.queued() > 0
}

// queued is the number of the connections in the kernel's queue.
func (l *listener) queued() (n uint64) {
	_ = l.raw.Control(func(fd uintptr) {
		// Of a listener tcpi_unacked is the length of its queue (tcp_get_info in net/ipv4/tcp.c).
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
