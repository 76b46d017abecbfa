package storage

import (
	"errors"
	"fmt"
	"math"

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
	var s unix.Statfs_t
	conn, err := f.SyscallConn()
	if err == nil {
		var failed error
		err = conn.Control(func(fd uintptr) { failed = unix.Fstatfs(int(fd), &s) }) //nolint:gosec // a descriptor
		err = errors.Join(err, failed)
	}
	if err != nil {
		return 0, failure("measure", name, err)
	}
	blocks, size := s.Bavail, uint64(s.Bsize) //nolint:gosec // a block has a size above zero
	if size > 0 && blocks > math.MaxInt64/size {
		return math.MaxInt64, nil
	}
	return int64(blocks * size), nil //nolint:gosec // it was just checked
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
