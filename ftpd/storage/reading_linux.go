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
	fd, kind, err := b.open(p, unix.O_RDONLY|unix.O_NONBLOCK) // see openReadFlags
	if err != nil {
		return nil, err
	}
	f := &reading{fd: fd, name: p, kind: kind}
	if f.facts, err = f.stat(); err == nil {
		f.small = f.facts.Size() <= smallFile
		err = checkRegular(f.facts)
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
	fd    int         // -1 after Close
	facts *facts.Info // from the opening, until Stat has returned them once
	name  string
	kind  fileSystem
	small bool
	file  *os.File // nil until OSFile is called
}

// smallFile is the size of a file that is given back quickly.
const smallFile = 256 << 10

// noWait is set once a file system on a disk has refused RWF_NOWAIT.
var noWait atomic.Bool

func (f *reading) Read(p []byte) (int, error) {
	if f.file != nil {
		return f.file.Read(p)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, errno := 0, unix.EAGAIN
	switch {
	case f.kind == memoryDisk:
		n, errno = f.readNow(p, 0)
	case f.kind == localDisk && !noWait.Load():
		switch n, errno = f.readNow(p, unix.RWF_NOWAIT); {
		case errno == unix.EOPNOTSUPP:
			noWait.Store(true)
		case errno == 0 && n == 0: // the end; or Linux 5.9 or 5.10, which say so elsewhere, too (readv(2), BUGS)
			errno = unix.EAGAIN
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

// readNow reads at the position of the file, with flags of preadv2(2), without telling the scheduler.
func (f *reading) readNow(p []byte, flags uintptr) (int, syscall.Errno) {
	part := unix.Iovec{Base: unsafe.SliceData(p)}
	part.SetLen(len(p))
	const here = ^uintptr(0) // the offset -1: read from the position, and move it
	return unscheduled(true, unix.SYS_PREADV2, uintptr(f.fd), uintptr(unsafe.Pointer(&part)), 1, here, 0, flags)
}

func (f *reading) Seek(offset int64, whence int) (int64, error) {
	if f.file != nil {
		return f.file.Seek(offset, whence)
	}
	at, err := unix.Seek(f.fd, offset, whence)
	return at, f.failure("seek", err)
}

// Stat describes the file. The first call returns what Open has seen.
func (f *reading) Stat() (fs.FileInfo, error) {
	if i := f.facts; i != nil {
		f.facts = nil
		return i, nil
	}
	if f.file != nil {
		return f.file.Stat()
	}
	return f.stat()
}

func (f *reading) stat() (*facts.Info, error) {
	i := &facts.Info{Base: f.name}
	if errno := fstat(f.fd, &i.Stat, f.kind != anyFileSystem); errno != 0 {
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
	// The last close of a file that was removed meanwhile gives its blocks back, which takes long for a large one.
	return f.failure("close", closeFile(fd, f.kind != anyFileSystem && f.small))
}

func (f *reading) failure(op string, err error) error { return failure(op, f.name, err) }
