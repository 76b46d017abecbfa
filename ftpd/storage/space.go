package storage

import (
	"errors"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// AvailableFS is an FS that knows how much more can be stored.
type AvailableFS interface {
	// Available returns how many bytes the user can still store in the directory name: the smaller of the free space
	// of the disk and the rest of the quota.
	Available(name string) (int64, error)
}

// Available calls v.Available, or returns errors.ErrUnsupported if v is no AvailableFS.
func Available(v FS, name string) (int64, error) {
	if s, ok := v.(AvailableFS); ok {
		return s.Available(name)
	}
	return 0, failure("measure", name, errors.ErrUnsupported)
}

// Available returns the space that the directory's file system has free for unprivileged users, in bytes.
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

// Disk describes the file system of a storage. Space reserved for privileged users does not count as available.
type Disk struct {
	SizeBytes, AvailableBytes int64
	Files, FreeFiles          int64 // inodes; both are 0 if the file system does not count them
}

// DiskBackend is a Backend that is on a file system.
type DiskBackend interface {
	// Disk describes the file system. It blocks until the file system answers.
	Disk() (Disk, error)
}

// DiskOf calls b.Disk, or returns errors.ErrUnsupported if b is no DiskBackend.
func DiskOf(b Backend) (Disk, error) {
	if m, ok := b.(DiskBackend); ok {
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

// measure describes the file system of an open file.
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

// product returns a*b, or the largest int64 if the product is larger.
func product(a, b uint64) int64 {
	if b > 0 && a > math.MaxInt64/b {
		return math.MaxInt64
	}
	return int64(a * b) //nolint:gosec // it was just checked
}

// Quota is what a user may store and what the user's home holds.
type Quota struct {
	LimitBytes, LimitFiles int64 // 0: no limit
	UsedBytes, UsedFiles   int64 // including running uploads
}

// QuotaFS is an FS that may have a quota.
type QuotaFS interface {
	// Quota returns the user's quota, or errors.ErrUnsupported if there is none. It may block until the home has been
	// counted.
	Quota() (Quota, error)
}

// QuotaOf calls v.Quota, or returns errors.ErrUnsupported if v is no QuotaFS.
func QuotaOf(v FS) (Quota, error) {
	if q, ok := v.(QuotaFS); ok {
		return q.Quota()
	}
	return Quota{}, errors.ErrUnsupported
}

// Lines describes the quota in the lines of the reply to SITE QUOTA.
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
