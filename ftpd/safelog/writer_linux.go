//go:build amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x

package safelog

import (
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Writer returns a writer that writes to w. If w is a pipe, as in a container, a line for which there is room is written
// without telling Go's scheduler, which would take longer than the line: the process may be idle otherwise, and its monitor
// asleep.
func Writer(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return w
	}
	q := &quickWriter{f: f, fd: f.Fd()}
	q.quick.Store(true)
	return q
}

// quickWriter is safe for concurrent use, as an *os.File is.
type quickWriter struct {
	f     *os.File
	fd    uintptr     // of f, which stays open
	quick atomic.Bool // false once the kernel has said that it can't write this file without waiting
}

func (w *quickWriter) Write(p []byte) (n int, err error) {
	if len(p) == 0 || !w.quick.Load() {
		return w.f.Write(p)
	}
	part := unix.Iovec{Base: unsafe.SliceData(p)}
	part.SetLen(len(p))
	const here = ^uintptr(0) // the offset -1: write at the position
	put, _, errno := unix.RawSyscall6(unix.SYS_PWRITEV2, w.fd, uintptr(unsafe.Pointer(&part)), 1, here, 0, unix.RWF_NOWAIT)
	runtime.KeepAlive(w.f)
	switch errno {
	case 0:
		n = int(put) //nolint:gosec // at most len(p)
	case unix.EAGAIN, unix.EINTR:
	default:
		w.quick.Store(false)
	}
	if n == len(p) {
		return n, nil
	}
	more, err := w.f.Write(p[n:])
	return n + more, err
}
