package load

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// These are system calls that Go's scheduler is not told of. None of them waits, but for epollWait: a thread that waits
// there keeps its processor of the scheduler, of which there are more than threads (see the package comment), and is
// woken by the scheduler's signal when the garbage collector wants it to stop.

// nonBlockingSocket returns a TCP socket whose calls do not wait.
func nonBlockingSocket() (int, syscall.Errno) {
	fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	return int(fd), errno
}

// connect begins to connect. A connection that is not there yet is no error: what is done with the socket next waits
// for it.
func connect(fd int, to *unix.RawSockaddrInet4) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(to)), unsafe.Sizeof(*to))
	if errno == unix.EINPROGRESS {
		return 0
	}
	return errno
}

// send sends what fits at once. p must not be empty.
func send(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// receive receives what is there, with MSG_TRUNC as a flag without copying it. 0 bytes are the end.
func receive(fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		unix.MSG_DONTWAIT|flags, 0, 0)
	return int(n), errno
}

// closeNow closes a socket; with what was sent on its way, this does not wait.
func closeNow(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

func epollAdd(epoll, fd int, event *unix.EpollEvent) syscall.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), unix.EPOLL_CTL_ADD, uintptr(fd), uintptr(unsafe.Pointer(event)), 0, 0)
	return errno
}

// epollWait waits for at most so many milliseconds, and returns how many events there are.
func epollWait(epoll int, events []unix.EpollEvent, milliseconds int) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)),
		uintptr(milliseconds), 0, 0)
	return int(n), errno
}
