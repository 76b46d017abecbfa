package storage

import (
	"os"
	"syscall"
)

// errLocked means that another open file, of this or another process, has the lock.
const errLocked = syscall.EWOULDBLOCK

// lock takes the advisory lock of a file, without waiting, until the file is closed. Any error but errLocked means
// that the file system has no locks.
func lock(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var locked error
	err = conn.Control(func(fd uintptr) {
		for {
			locked = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor
			if locked != syscall.EINTR {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return locked
}
