//go:build linux && (amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x)

package storage

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// statAt is fstatat(2) without following links, for a name that a zero byte ends. (unix.Fstatat copies each name.)
func statAt(dir uintptr, name *byte, stat *unix.Stat_t) syscall.Errno {
	for {
		_, _, errno := unix.Syscall6(unix.SYS_NEWFSTATAT, dir, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(stat)), unix.AT_SYMLINK_NOFOLLOW, 0, 0)
		if errno != unix.EINTR {
			return errno
		}
	}
}
