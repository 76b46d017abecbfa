//go:build linux && !(amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x)

package storage

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// statAt is fstatat(2) without following links, for a name that a zero byte ends.
func statAt(dir uintptr, name *byte, stat *unix.Stat_t) (errno syscall.Errno) {
	_ = errors.As(unix.Fstatat(int(dir), unix.BytePtrToString(name), stat, unix.AT_SYMLINK_NOFOLLOW), &errno)
	return errno
}
