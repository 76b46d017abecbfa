//go:build amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x

package storage

import (
	"errors"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/storage/facts"
)

// beneath opens files below a directory by openat2(2) with RESOLVE_BENEATH. The kernel resolves the whole path within
// the directory in one call; an os.Root, which works on every system, makes two calls for each part of it. On a local
// file system a call that finds everything in the kernel's caches is made without telling Go's scheduler, which would
// take longer than the call.
type beneath struct {
	dir  *os.File
	raw  syscall.RawConn
	kind fileSystem
}

// fileSystem is what matters about a file system here.
type fileSystem uint8

const (
	// anyFileSystem may ask another machine or process about a file, in any call.
	anyFileSystem fileSystem = iota
	// localDisk is on a disk of this machine: calls that find everything in the kernel's caches don't wait.
	localDisk
	// memoryDisk is a tmpfs: reading and looking up names never waits.
	memoryDisk
)

// resolveCached is RESOLVE_CACHED of openat2(2): fail with EAGAIN unless everything is in the kernel's caches.
const resolveCached = 0x20

// resolveBeneath has a path resolved within the directory.
const resolveBeneath = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS

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
	err = raw.Control(func(fd uintptr) { b.kind = fileSystemOf(int(fd)) }) //nolint:gosec // a descriptor
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return b, nil
}

func (b *beneath) close() error { return b.dir.Close() }

// fileSystemOf returns the kind of the file system on which a directory is.
func fileSystemOf(fd int) fileSystem {
	var about unix.Statfs_t
	switch {
	case unix.Fstatfs(fd, &about) != nil || !facts.IsLocal(int64(about.Type)): //nolint:unconvert // of another type on other architectures
		return anyFileSystem
	case about.Type == unix.TMPFS_MAGIC:
		return memoryDisk
	}
	return localDisk
}

// open opens the path p, which is relative to the directory and may contain links. kind is that of the directory's file system if
// what was opened lies on the same one; it may lie on one that is mounted below. Errors: errUseRoot; escapeError
// if the path leads out of the directory; those of open(2).
func (b *beneath) open(p string, flags uint64) (fd int, kind fileSystem, err error) {
	if withoutOpenat2.Load() {
		return -1, anyFileSystem, errUseRoot
	}
	name, err := unix.BytePtrFromString(p)
	if err != nil {
		return -1, anyFileSystem, err
	}
	var errno syscall.Errno
	gone := b.raw.Control(func(dir uintptr) {
		how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: resolveBeneath | unix.RESOLVE_NO_XDEV}
		switch kind = b.kind; kind {
		case memoryDisk:
			fd, errno = openat2(true, dir, name, &how)
		case localDisk:
			cached := how
			cached.Resolve |= resolveCached
			if fd, errno = openat2(true, dir, name, &cached); errno == unix.EAGAIN || errno == unix.EINVAL { // EINVAL: Linux before 5.12
				fd, errno = openat2(false, dir, name, &how)
			}
		}
		if kind == anyFileSystem || errno == unix.EXDEV {
			kind = anyFileSystem
			how.Resolve = resolveBeneath
			fd, errno = openat2(false, dir, name, &how)
		}
	})
	if gone != nil {
		return -1, anyFileSystem, gone
	}
	switch errno {
	case 0:
		return fd, kind, nil
	case unix.EXDEV:
		return -1, anyFileSystem, escapeError{}
	case unix.EAGAIN: // a directory was moved meanwhile
		return -1, anyFileSystem, errUseRoot
	case unix.ENOSYS, unix.EPERM: // filters of system calls return either
		if b.refused() {
			withoutOpenat2.Store(true)
			return -1, anyFileSystem, errUseRoot
		}
	}
	return -1, anyFileSystem, errno
}

// openat2 calls openat2(2). quick says that it does not wait.
func openat2(quick bool, dir uintptr, name *byte, how *unix.OpenHow) (int, syscall.Errno) {
	return unscheduled(quick, unix.SYS_OPENAT2, dir, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(how)), unix.SizeofOpenHow, 0, 0)
}

// refused reports whether not even the directory itself can be opened by openat2.
func (b *beneath) refused() (refused bool) {
	_ = b.raw.Control(func(dir uintptr) {
		fd, err := unix.Openat2(int(dir), ".", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC}) //nolint:gosec // a descriptor
		if refused = errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM); err == nil {
			_ = unix.Close(fd)
		}
	})
	return refused
}

// absent reports whether there is certainly nothing at the path p.
func (b *beneath) absent(p string) bool {
	fd, _, err := b.open(p, unix.O_PATH|unix.O_NOFOLLOW)
	if err == nil {
		_ = unix.Close(fd)
	}
	return errors.Is(err, fs.ErrNotExist)
}
