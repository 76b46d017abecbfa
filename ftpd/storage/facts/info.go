//go:build linux

package facts

import (
	"io/fs"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Info describes an entry of a directory. It is an fs.FileInfo.
type Info struct {
	Base string // the name in the directory
	Stat unix.Stat_t
	Err  error // why the entry could not be described
}

// Name returns the name in the directory.
func (i *Info) Name() string { return i.Base }

// Size returns the size in bytes.
func (i *Info) Size() int64 { return i.Stat.Size }

// IsDir reports whether the entry is a directory.
func (i *Info) IsDir() bool { return i.Stat.Mode&unix.S_IFMT == unix.S_IFDIR }

// ModTime returns the time of the last modification.
func (i *Info) ModTime() time.Time { return time.Unix(i.Stat.Mtim.Unix()) }

// Mode returns the mode as package os does.
func (i *Info) Mode() fs.FileMode {
	mode := fs.FileMode(i.Stat.Mode & 0o777)
	switch i.Stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		mode |= fs.ModeDir
	case unix.S_IFLNK:
		mode |= fs.ModeSymlink
	case unix.S_IFIFO:
		mode |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		mode |= fs.ModeSocket
	case unix.S_IFCHR:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		mode |= fs.ModeDevice
	default:
		mode |= fs.ModeIrregular
	}
	if i.Stat.Mode&unix.S_ISUID != 0 {
		mode |= fs.ModeSetuid
	}
	if i.Stat.Mode&unix.S_ISGID != 0 {
		mode |= fs.ModeSetgid
	}
	if i.Stat.Mode&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

// Sys returns a *syscall.Stat_t, as package os does. That type is identical to unix.Stat_t: both are the kernel's.
func (i *Info) Sys() any {
	return (*syscall.Stat_t)(unsafe.Pointer(&i.Stat)) //nolint:gosec // see above
}
