//go:build amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x

package storage

import (
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Some calls are made without telling Go's scheduler, because they don't wait. Few things can make them wait nevertheless: the
// queue of a disk that is full when the kernel reads ahead, a page of a tmpfs that was swapped out, a scanner that is asked about each
// file (fanotify). A thread that waits then keeps its processor from all other goroutines. So the time that such a call takes is
// measured, and after a slow one the scheduler is told of all of them for a while.

const (
	// slow is the time after which a call has waited.
	slow = 5 * time.Millisecond
	// caution is the time for which the scheduler is told.
	caution = time.Second
)

var (
	began   = time.Now()
	careful atomic.Int64 // the time since began until which the scheduler is told, in nanoseconds
)

// unscheduled makes a system call, without telling the scheduler if quick is set and none was slow in the last second. It
// repeats calls that a signal has interrupted. The directive keeps what the arguments point to where it is.
//
//go:uintptrescapes
func unscheduled(quick bool, trap, a1, a2, a3, a4, a5, a6 uintptr) (result int, errno syscall.Errno) { //nolint:unparam // the arguments of a system call
	var n uintptr
	if begin := time.Since(began); quick && int64(begin) >= careful.Load() {
		for {
			if n, _, errno = unix.RawSyscall6(trap, a1, a2, a3, a4, a5, a6); errno != unix.EINTR {
				break
			}
		}
		if end := time.Since(began); end-begin > slow {
			careful.Store(int64(end + caution))
		}
		return int(n), errno //nolint:gosec // a descriptor, or a number of bytes
	}
	for {
		if n, _, errno = unix.Syscall6(trap, a1, a2, a3, a4, a5, a6); errno != unix.EINTR {
			return int(n), errno //nolint:gosec // as above
		}
	}
}
