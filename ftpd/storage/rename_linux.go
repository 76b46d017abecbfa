package storage

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNoReplace calls renameat2(2) with RENAME_NOREPLACE. If the kernel or the file system does not support that,
// the error is errors.ErrUnsupported.
func renameNoReplace(fromDir *os.File, fromBase string, toDir *os.File, toBase string) error {
	err := withDescriptors(fromDir, toDir, func(from, to int) error {
		return unix.Renameat2(from, fromBase, to, toBase, unix.RENAME_NOREPLACE)
	})
	if errors.Is(err, unix.EINVAL) { // also the error of moving a directory into itself
		return errors.ErrUnsupported
	}
	return err
}

func withDescriptors(a, b *os.File, do func(a, b int) error) error {
	var err error
	connA, errA := a.SyscallConn()
	connB, errB := b.SyscallConn()
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	errA = connA.Control(func(fdA uintptr) {
		errB = connB.Control(func(fdB uintptr) { err = do(int(fdA), int(fdB)) }) //nolint:gosec // descriptors
	})
	return errors.Join(errA, errB, err)
}
