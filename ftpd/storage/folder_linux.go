//go:build amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x

package storage

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/storage/facts"
)

// directory is a folder that beneath has opened.
type directory struct {
	fd   int // of O_PATH; -1 after Close
	kind fileSystem
}

// folder opens the directory at the path dir. Errors are those of open.
func (b *beneath) folder(dir string) (folder, error) {
	fd, kind, err := b.open(dir, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	return &directory{fd, kind}, nil
}

// do calls f with the descriptor, and describes its error.
func (d *directory) do(op, name string, f func(fd int) error) error {
	if d.fd < 0 {
		return fs.ErrClosed
	}
	for {
		switch err := f(d.fd); {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		default:
			return &fs.PathError{Op: op, Path: name, Err: err}
		}
	}
}

func (d *directory) Lstat(name string) (fs.FileInfo, error) {
	p, err := unix.BytePtrFromString(name)
	if err != nil {
		return nil, err
	}
	i := &facts.Info{Base: name}
	err = d.do("stat", name, func(fd int) error {
		if errno := statAt(uintptr(fd), p, &i.Stat); errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return i, nil
}

func (d *directory) Stat(name string) (fs.FileInfo, error) { return d.Lstat(name) }

// OpenFile opens an entry, which must not be a link.
func (d *directory) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if flag&os.O_EXCL != 0 {
		flag &^= syscall.O_NONBLOCK // a new file is regular; package os would offer one with this flag to its poller
	}
	var opened int
	err := d.do("open", name, func(fd int) (err error) {
		opened, err = unix.Openat(fd, name, flag|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(perm.Perm()))
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(opened), name), nil
}

func (d *directory) Link(oldname, newname string) error {
	return d.do("link", newname, func(fd int) error { return unix.Linkat(fd, oldname, fd, newname, 0) })
}

// Rename returns fs.ErrExist, as package os does, if the new name is a directory.
func (d *directory) Rename(oldname, newname string) error {
	return d.do("rename", newname, func(fd int) error {
		err := unix.Renameat(fd, oldname, fd, newname)
		if errors.Is(err, unix.EISDIR) {
			return unix.EEXIST
		}
		return err
	})
}

// Remove removes an entry that is no directory.
func (d *directory) Remove(name string) error {
	return d.do("remove", name, func(fd int) error { return unix.Unlinkat(fd, name, 0) })
}

// Chtimes sets the times of an entry that are not zero.
func (d *directory) Chtimes(name string, atime, mtime time.Time) error {
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	for i, t := range []time.Time{atime, mtime} {
		if t.IsZero() {
			continue
		}
		var err error
		if times[i], err = unix.TimeToTimespec(t); err != nil {
			return err
		}
	}
	return d.do("chtimes", name, func(fd int) error { return unix.UtimesNanoAt(fd, name, times, unix.AT_SYMLINK_NOFOLLOW) })
}

func (d *directory) mayWrite(name string) error {
	return d.do("access", name, func(fd int) error { return unix.Faccessat(fd, name, unix.W_OK, unix.AT_EACCESS) })
}

func (d *directory) isMountPoint(name string) bool { return isMountPoint(d.fd, name) }

func (d *directory) Close() error {
	if d.fd < 0 {
		return fs.ErrClosed
	}
	fd := d.fd
	d.fd = -1
	return closeFile(fd, d.kind != anyFileSystem)
}

// closeFile closes a descriptor. quick says that this makes no file system wait.
func closeFile(fd int, quick bool) error {
	if !quick {
		return unix.Close(fd)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0); errno != 0 { // not repeated after EINTR: it is closed
		return errno
	}
	return nil
}

// fstat is fstat(2). On a local file system it never waits.
func fstat(fd int, stat *unix.Stat_t, local bool) syscall.Errno {
	_, errno := unscheduled(local, unix.SYS_FSTAT, uintptr(fd), uintptr(unsafe.Pointer(stat)), 0, 0, 0, 0)
	return errno
}
