package storage

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// isMountPoint reports whether something is mounted at the name, as Kubernetes does with a subPath that is a file.
func isMountPoint(dir *os.Root, base string) bool {
	d, err := dir.OpenFile(".", openDirFlags, 0)
	if err != nil {
		return false
	}
	defer d.Close() //nolint:errcheck // it was only used
	conn, err := d.SyscallConn()
	if err != nil {
		return false
	}
	var x unix.Statx_t
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = unix.Statx(int(fd), base, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, &x) //nolint:gosec // a descriptor
	})
	return err == nil && failed == nil && x.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// allocate reserves space for size bytes in a file, if the file system supports that.
func allocate(f *os.File, size int64) error {
	if size <= 0 {
		return nil
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = unix.Fallocate(int(fd), unix.FALLOC_FL_KEEP_SIZE, 0, size) //nolint:gosec // a descriptor
	})
	if errors.Is(failed, unix.EOPNOTSUPP) || errors.Is(failed, unix.ENOSYS) {
		failed = nil
	}
	return errors.Join(err, failed)
}
