package storage

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// folder is an open directory, which stays the same one if it is moved. Its methods do what those of an *os.Root do; their
// names are of entries of the directory, or ".".
type folder interface {
	Stat(name string) (fs.FileInfo, error)
	Lstat(name string) (fs.FileInfo, error)
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	Link(oldname, newname string) error
	Rename(oldname, newname string) error
	Remove(name string) error
	Chtimes(name string, atime, mtime time.Time) error
	Close() error
	// mayWrite returns nil if the server may write to an entry, else why not.
	mayWrite(name string) error
	// isMountPoint reports whether something is mounted at an entry, as Kubernetes does with a subPath that is a file.
	isMountPoint(name string) bool
}

// rooted is a folder on every system.
type rooted struct{ *os.Root }

func (r rooted) mayWrite(name string) (err error) {
	gone := r.withDescriptor(func(fd int) { err = unix.Faccessat(fd, name, unix.W_OK, unix.AT_EACCESS) })
	return errors.Join(gone, err)
}

func (r rooted) isMountPoint(name string) (is bool) {
	return r.withDescriptor(func(fd int) { is = isMountPoint(fd, name) }) == nil && is
}

// withDescriptor calls f with a descriptor of the directory.
func (r rooted) withDescriptor(f func(fd int)) error {
	d, err := r.OpenFile(".", openDirFlags, 0)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // it was only used
	conn, err := d.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Control(func(fd uintptr) { f(int(fd)) }) //nolint:gosec // a descriptor
}

// errUseRoot is the error of a beneath that can't say what a path leads to: the os.Root must be asked.
var errUseRoot = errors.New("the path must be resolved step by step")

// folder opens the directory at the path dir.
func (v *view) folder(dir string) (folder, error) {
	f, err := v.beneath.folder(dir)
	if errors.Is(err, errUseRoot) {
		return openDir(v.root, dir)
	}
	return f, err
}

// sameFile reports whether two descriptions are of the same file. (os.SameFile knows only those that package os has made.)
func sameFile(a, b fs.FileInfo) bool { return idOf(a) == idOf(b) }

// statOf returns the facts of the kernel about a file that this package has described.
func statOf(info fs.FileInfo) *syscall.Stat_t { return info.Sys().(*syscall.Stat_t) }
