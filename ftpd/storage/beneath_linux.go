//go:build amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x

package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// beneath opens files below a directory by openat2(2) with RESOLVE_BENEATH. The kernel resolves the whole path within
// the directory in one call; an os.Root, which works on every system, makes two calls for each part of it. On a local
// file system a call that finds everything in the kernel's caches is made without telling Go's scheduler, which would
// take longer than the call.
type beneath struct {
	dir   *os.File
	raw   syscall.RawConn
	local bool // see localFileSystem
}

// errUseRoot means that the kernel can't say what a path leads to, and that the os.Root must be asked.
var errUseRoot = errors.New("the path must be resolved step by step")

// resolveCached is RESOLVE_CACHED of openat2(2): fail with EAGAIN unless everything is in the kernel's caches.
const resolveCached = 0x20

// withoutOpenat2 is set once the kernel, or a filter of system calls, has refused openat2.
var withoutOpenat2 atomic.Bool

// newBeneath returns what opens files below the directory that root is.
func newBeneath(root *os.Root) (*beneath, error) {
	dir, err := root.OpenFile(".", openDirFlags, 0)
	if err != nil {
		return nil, err
	}
	raw, err := dir.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	b := &beneath{dir: dir, raw: raw}
	err = raw.Control(func(fd uintptr) { b.local = localFileSystem(int(fd)) }) //nolint:gosec // a descriptor
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return b, nil
}

func (b *beneath) close() error { return b.dir.Close() }

// localFileSystem reports whether the directory is on a file system of this machine alone, on a disk or in memory. There
// what is in the kernel's caches is never checked with another machine or process.
func localFileSystem(fd int) bool {
	var about unix.Statfs_t
	if unix.Fstatfs(fd, &about) != nil {
		return false
	}
	switch uint32(about.Type) { //nolint:gosec // the numbers have 32 bits
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}

// open opens the path p, which is relative to the directory and may contain links. Errors: errUseRoot; escapeError if
// the path leads out of the directory; those of open(2).
func (b *beneath) open(p string, flags uint64) (fd int, err error) {
	if withoutOpenat2.Load() {
		return -1, errUseRoot
	}
	name, err := unix.BytePtrFromString(p)
	if err != nil {
		return -1, err
	}
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS}
	var errno syscall.Errno
	gone := b.raw.Control(func(dir uintptr) {
		if b.local {
			cached := how
			cached.Resolve |= resolveCached
			if fd, errno = openat2(unix.RawSyscall6, dir, name, &cached); errno != unix.EAGAIN && errno != unix.EINVAL {
				return // EINVAL: the kernel is older than 5.12
			}
		}
		fd, errno = openat2(unix.Syscall6, dir, name, &how)
	})
	if gone != nil {
		return -1, gone
	}
	switch errno {
	case 0:
		return fd, nil
	case unix.EXDEV:
		return -1, escapeError{}
	case unix.EAGAIN: // a directory was moved meanwhile
		return -1, errUseRoot
	case unix.ENOSYS, unix.EPERM: // filters of system calls have either
		if b.refused() {
			withoutOpenat2.Store(true)
			return -1, errUseRoot
		}
	}
	return -1, errno
}

// openat2 calls openat2(2) by a function of package unix. It repeats calls that a signal has interrupted.
func openat2(call func(trap, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, uintptr, syscall.Errno), dir uintptr, name *byte, how *unix.OpenHow) (int, syscall.Errno) {
	for {
		fd, _, errno := call(unix.SYS_OPENAT2, dir, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(how)), unix.SizeofOpenHow, 0, 0)
		if errno != unix.EINTR {
			runtime.KeepAlive(name)
			runtime.KeepAlive(how)
			return int(fd), errno //nolint:gosec // a descriptor
		}
	}
}

// refused reports whether not even the directory itself can be opened by openat2.
func (b *beneath) refused() (refused bool) {
	_ = b.raw.Control(func(dir uintptr) {
		fd, err := unix.Openat2(int(dir), ".", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC}) //nolint:gosec // a descriptor
		if refused = err != nil; !refused {
			_ = unix.Close(fd)
		}
	})
	return refused
}

// absent reports whether there is certainly nothing at the path p.
func (b *beneath) absent(p string) bool {
	fd, err := b.open(p, unix.O_PATH|unix.O_NOFOLLOW)
	if err == nil {
		_ = unix.Close(fd)
	}
	return errors.Is(err, fs.ErrNotExist)
}

// openRead opens the regular file at the path p for reading. Errors are those of open and of checkRegular.
func (b *beneath) openRead(p string) (File, error) {
	fd, err := b.open(p, unix.O_RDONLY|unix.O_NONBLOCK) // see openReadFlags
	if err != nil {
		return nil, err
	}
	f := &reading{fd: fd, name: p, local: b.local}
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
	i := &info{name: f.name}
	if f.local {
		for {
			_, _, errno := unix.RawSyscall(unix.SYS_FSTAT, uintptr(f.fd), uintptr(unsafe.Pointer(&i.stat)), 0)
			if errno == 0 {
				return i, nil
			}
			if errno != unix.EINTR {
				return nil, f.failure("stat", errno)
			}
		}
	}
	if err := unix.Fstat(f.fd, &i.stat); err != nil {
		return nil, f.failure("stat", err)
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
		_, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
		if errno != 0 {
			return f.failure("close", errno)
		}
		return nil
	}
	return f.failure("close", unix.Close(fd))
}

func (f *reading) failure(op string, err error) error { return failure(op, f.name, err) }
