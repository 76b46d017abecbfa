//go:build amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x

package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/storage/facts"
)

// openRead opens the regular file at the path p for reading. Errors are those of open and of checkRegular.
func (b *beneath) openRead(p string) (File, error) {
	fd, local, err := b.open(p, unix.O_RDONLY|unix.O_NONBLOCK) // see openReadFlags
	if err != nil {
		return nil, err
	}
	f := &reading{fd: fd, name: p, local: local}
	info, err := f.Stat()
	if err == nil {
		err = checkRegular(info)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// reading is a regular file that is being read. It costs fewer system calls than an *os.File, which it becomes when
// OSFile is called.
type reading struct {
	fd    int // -1 after Close
	name  string
	local bool
	file  *os.File // nil until OSFile is called
}

// noWait is set once a local file system has refused RWF_NOWAIT.
var noWait atomic.Bool

func (f *reading) Read(p []byte) (int, error) {
	if f.file != nil {
		return f.file.Read(p)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, errno := 0, unix.EAGAIN
	if f.local && !noWait.Load() {
		if n, errno = f.readCached(p); errno == unix.EOPNOTSUPP {
			noWait.Store(true)
		}
	}
	if errno != 0 {
		var err error
		for {
			if n, err = unix.Read(f.fd, p); !errors.Is(err, unix.EINTR) {
				break
			}
		}
		if err != nil {
			return 0, f.failure("read", err)
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// readCached reads what is in the kernel's cache, at the position of the file.
func (f *reading) readCached(p []byte) (int, syscall.Errno) {
	part := unix.Iovec{Base: unsafe.SliceData(p)}
	part.SetLen(len(p))
	const here = ^uintptr(0) // the offset -1: read from the position, and move it
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_PREADV2, uintptr(f.fd), uintptr(unsafe.Pointer(&part)), 1, here, 0, unix.RWF_NOWAIT)
		if errno != unix.EINTR {
			return int(n), errno //nolint:gosec // at most len(p)
		}
	}
}

func (f *reading) Seek(offset int64, whence int) (int64, error) {
	if f.file != nil {
		return f.file.Seek(offset, whence)
	}
	at, err := unix.Seek(f.fd, offset, whence)
	return at, f.failure("seek", err)
}

func (f *reading) Stat() (fs.FileInfo, error) {
	if f.file != nil {
		return f.file.Stat()
	}
	i := &facts.Info{Base: f.name}
	if errno := fstat(f.fd, &i.Stat, f.local); errno != 0 {
		return nil, f.failure("stat", errno)
	}
	return i, nil
}

// OSFile returns the file as package os has it, for sendfile; see OSFile, the function.
func (f *reading) OSFile() *os.File {
	if f.file == nil && f.fd >= 0 {
		f.file, f.fd = os.NewFile(uintptr(f.fd), f.name), -1
	}
	return f.file
}

func (f *reading) Close() error {
	switch {
	case f.file != nil:
		return f.file.Close()
	case f.fd < 0:
		return fs.ErrClosed
	}
	fd := f.fd
	f.fd = -1
	if f.local {
		return f.failure("close", closeNow(fd))
	}
	return f.failure("close", unix.Close(fd))
}

func (f *reading) failure(op string, err error) error { return failure(op, f.name, err) }
