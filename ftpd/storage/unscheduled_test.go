//go:build linux && (amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x)

package storage

import (
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// After a call that was slow the scheduler is told of the next ones. Not parallel: it is told for the whole process.
func TestUnscheduledIsCareful(t *testing.T) {
	defer careful.Store(0)
	careful.Store(0)
	sleep := func(d time.Duration) {
		t.Helper()
		span := unix.NsecToTimespec(int64(d))
		if _, errno := unscheduled(true, unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&span)), 0, 0, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	sleep(slow + time.Millisecond)
	if careful.Load() == 0 {
		t.Fatal("a slow call is not noticed")
	}
	const until = int64(1 << 62)
	careful.Store(until)
	sleep(slow + time.Millisecond) // the scheduler is told of this one, so it does not count
	if careful.Load() != until {
		t.Error("a call of which the scheduler was told counts as slow")
	}
}
