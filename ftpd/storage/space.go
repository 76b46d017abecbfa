package storage

import (
	"errors"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// Spacer is an FS that knows how much more it can take.
type Spacer interface {
	// Available returns how many bytes the user can still store in the directory name: what the
	// disk has free for us, and his quota leaves.
	Available(name string) (int64, error)
}

// Available is v's, or errors.ErrUnsupported if it knows no bound.
func Available(v FS, name string) (int64, error) {
	if s, ok := v.(Spacer); ok {
		return s.Available(name)
	}
	return 0, failure("measure", name, errors.ErrUnsupported)
}

// Available returns what the file system of the directory has free for unprivileged users.
func (v *view) Available(name string) (int64, error) {
	p, err := inRoot(name)
	if err != nil {
		return 0, failure("measure", name, err)
	}
	f, err := v.root.OpenFile(p, openDirFlags, 0)
	if err != nil {
		return 0, failure("measure", name, err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	disk, err := measure(f)
	if err != nil {
		return 0, failure("measure", name, err)
	}
	return disk.AvailableBytes, nil
}

// Disk is the file system that a storage lies on. What unprivileged users can't have is not free.
type Disk struct {
	SizeBytes, AvailableBytes int64
	Files, FreeFiles          int64 // inodes; 0 and 0 where a file system does not count them
}

// Measurer is a Backend that lies on a file system.
type Measurer interface {
	// Disk describes the file system. It may wait for as long as the file system takes to answer.
	Disk() (Disk, error)
}

// DiskOf is b's, or errors.ErrUnsupported if it lies on none.
func DiskOf(b Backend) (Disk, error) {
	if m, ok := b.(Measurer); ok {
		return m.Disk()
	}
	return Disk{}, errors.ErrUnsupported
}

// Disk describes the file system of the storage root.
func (l *Local) Disk() (Disk, error) {
	f, err := l.root.OpenFile(".", openDirFlags, 0)
	if err != nil {
		return Disk{}, failure("measure", ".", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	disk, err := measure(f)
	if err != nil {
		return Disk{}, failure("measure", ".", err)
	}
	return disk, nil
}

// measure describes the file system that a file lies on.
func measure(f *os.File) (Disk, error) {
	var s unix.Statfs_t
	conn, err := f.SyscallConn()
	if err != nil {
		return Disk{}, err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = unix.Fstatfs(int(fd), &s) }) //nolint:gosec // a descriptor
	if err = errors.Join(err, failed); err != nil {
		return Disk{}, err
	}
	size := uint64(s.Bsize) //nolint:gosec // a block has a size above zero
	return Disk{
		SizeBytes: product(s.Blocks, size), AvailableBytes: product(s.Bavail, size),
		Files: product(s.Files, 1), FreeFiles: product(s.Ffree, 1),
	}, nil
}

// product is at most the largest int64.
func product(a, b uint64) int64 {
	if b > 0 && a > math.MaxInt64/b {
		return math.MaxInt64
	}
	return int64(a * b) //nolint:gosec // it was just checked
}

// Quota is what a user may store and what his home holds.
type Quota struct {
	LimitBytes, LimitFiles int64 // 0: no bound
	UsedBytes, UsedFiles   int64 // uploads that are running included
}

// Quoter is an FS with a quota.
type Quoter interface {
	// Quota returns the user's quota, or errors.ErrUnsupported if he has none. It may wait until the home has been counted.
	Quota() (Quota, error)
}

// QuotaOf is v's quota, or errors.ErrUnsupported if there is none.
func QuotaOf(v FS) (Quota, error) {
	if q, ok := v.(Quoter); ok {
		return q.Quota()
	}
	return Quota{}, errors.ErrUnsupported
}

// Lines tells the quota, for the reply of SITE QUOTA.
func (q Quota) Lines() []string {
	return []string{
		"Bytes: " + bound(q.UsedBytes, q.LimitBytes),
		"Files: " + bound(q.UsedFiles, q.LimitFiles) + ", directories included",
	}
}

func bound(used, limit int64) string {
	if limit <= 0 {
		return fmt.Sprintf("%d used, no limit", used)
	}
	return fmt.Sprintf("%d used of %d, %d left", used, limit, max(0, limit-used))
}
