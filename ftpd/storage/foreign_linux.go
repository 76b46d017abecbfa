package storage

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// isMountPoint reports whether something is mounted at an entry of a directory.
func isMountPoint(dir int, name string) bool {
	var x unix.Statx_t
	err := unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, &x)
	return err == nil && x.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
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
