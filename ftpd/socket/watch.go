package socket

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Watch says which listeners have connections, by epoll(7).
type Watch struct {
	file *os.File
	raw  syscall.RawConn
}

// WatchBatch is the number of listeners that one call of a Watch returns at most.
const WatchBatch = 64

// NewWatch returns a Watch of no listeners. The caller must close it. Only with waits may Wait be called: the Watch is then in
// Go's poller, which is woken by each connection to a listener that the Watch would name.
func NewWatch(waits bool) (*Watch, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if waits {
		if err := unix.SetNonblock(fd, true); err != nil { // by this package os puts it into the poller
			_ = unix.Close(fd)
			return nil, os.NewSyscallError("fcntl", err)
		}
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &Watch{file: file, raw: raw}, nil
}

// Add adds a listener, which Ready and Wait name by id. A listener that is added with always is named each time that
// it has connections. Another one is named once after each call of Arm.
func (w *Watch) Add(l *Listener, id uint16, always bool) error {
	event := unix.EpollEvent{Fd: int32(id)}
	if always {
		event.Events = unix.EPOLLIN
	}
	return w.control(unix.EPOLL_CTL_ADD, l, &event)
}

// Arm has Wait name the listener once, when it has connections or if it has some already.
func (w *Watch) Arm(l *Listener, id uint16) error {
	return w.control(unix.EPOLL_CTL_MOD, l, &unix.EpollEvent{Fd: int32(id), Events: unix.EPOLLIN | unix.EPOLLONESHOT})
}

func (w *Watch) control(op int, l *Listener, event *unix.EpollEvent) error {
	return l.use(func(fd int) error {
		var err error
		gone := w.raw.Control(func(epoll uintptr) { err = unix.EpollCtl(int(epoll), op, fd, event) }) //nolint:gosec // a descriptor
		return errors.Join(gone, os.NewSyscallError("epoll_ctl", err))
	})
}

// Ready returns some of the listeners that have connections, and none if there are none. It does not wait.
func (w *Watch) Ready() (ids []uint16, err error) {
	gone := w.raw.Control(func(epoll uintptr) { ids, err = ready(epoll) })
	return ids, errors.Join(gone, err)
}

// Wait waits until listeners have connections, and returns some of these listeners. Only one goroutine may call it.
// The error is net.ErrClosed after Close.
func (w *Watch) Wait() (ids []uint16, err error) {
	gone := w.raw.Read(func(epoll uintptr) bool {
		ids, err = ready(epoll)
		return len(ids) > 0 || err != nil
	})
	if gone != nil {
		return nil, net.ErrClosed
	}
	return ids, err
}

func ready(epoll uintptr) ([]uint16, error) {
	var events [WatchBatch]unix.EpollEvent
	n, err := unix.EpollWait(int(epoll), events[:], 0) //nolint:gosec // a descriptor
	if errors.Is(err, unix.EINTR) {
		n, err = 0, nil
	}
	if n <= 0 || err != nil {
		return nil, os.NewSyscallError("epoll_wait", err)
	}
	ids := make([]uint16, n)
	for i := range ids {
		ids[i] = uint16(events[i].Fd) //nolint:gosec // from Add
	}
	return ids, nil
}

// Close ends Wait.
func (w *Watch) Close() error { return w.file.Close() }
