package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Files of other owners lie on volumes that other programs write to. What may be done with them is
// what the kernel allows: a file that may be written can be stored to, whatever its directory
// allows, and keeps its owner, group and mode.
//
//   - Where a new file can be made in the directory, and be given the old one's owner and group, it
//     takes the old one's place at once, as any upload.
//   - Where it can be made but can't be given them, or can't take the name (a directory with the sticky
//     bit, a file that is a mount point), it is complete before the old file is written: staged.
//   - Where none can be made the old file is written as the data comes: rewrite.

// mayWrite reports why we may not write the file base of a directory; nil if we may.
func mayWrite(dir *os.Root, base string) error {
	d, err := dir.OpenFile(".", openDirFlags, 0)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // it was only used
	conn, err := d.SyscallConn()
	if err != nil {
		return err
	}
	var denied error
	err = conn.Control(func(fd uintptr) {
		denied = unix.Faccessat(int(fd), base, unix.W_OK, unix.AT_EACCESS) //nolint:gosec // a descriptor
	})
	return errors.Join(err, denied)
}

// isForbidden reports whether an error says that a file can't be made here by us.
func isForbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// stage makes the upload one that is written to the old file when it is complete, if it can't take
// that file's place with its owner and group.
func (u *replacement) stage(existing fs.FileInfo) error {
	old := existing.Sys().(*syscall.Stat_t)
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	own := info.Sys().(*syscall.Stat_t)
	var refused error
	if own.Uid != old.Uid || own.Gid != old.Gid {
		refused = u.f.Chown(int(old.Uid), int(old.Gid))
	}
	if refused == nil && !sticks(u.dir, u.base, old) {
		return nil
	}
	u.onto, err = u.dir.OpenFile(u.base, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	now, err := regular(u.onto)
	if err == nil && !os.SameFile(now, existing) {
		err = errChanged
	}
	return err
}

// sticks reports whether a file that we may write can't be replaced by rename(2).
func sticks(dir *os.Root, base string, old *syscall.Stat_t) bool {
	info, err := dir.Stat(".")
	if err != nil {
		return false
	}
	euid := uint32(os.Geteuid()) //nolint:gosec // an id
	sticky := info.Mode()&fs.ModeSticky != 0 && euid != 0 && euid != old.Uid && euid != info.Sys().(*syscall.Stat_t).Uid
	return sticky || isMountPoint(dir, base)
}

// copyOnto writes the complete upload to the old file. That there is room is seen before, so far as
// the file system can tell.
func (u *replacement) copyOnto() error {
	if err := lock(u.onto); errors.Is(err, errLocked) {
		return ErrBusy
	}
	if err := settleIn(u.dir, u.base); err != nil {
		return err // ErrBusy: somebody appends to it
	}
	old, err := u.onto.Stat()
	if err != nil {
		return err
	}
	if there, err := u.dir.Lstat(u.base); err != nil || !os.SameFile(old, there) {
		return errChanged
	}
	source, err := u.dir.OpenFile(u.temp, openReadFlags, 0)
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // it was only read
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if err := allocate(u.onto, info.Size()); err != nil {
		return errors.Join(err, u.onto.Truncate(old.Size()))
	}
	if _, err := u.onto.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.CopyN(u.onto, source, info.Size()); err != nil {
		return err
	}
	if err := u.onto.Truncate(info.Size()); err != nil {
		return err
	}
	if u.v.durable() {
		if err := syncFile(u.onto); err != nil {
			return err
		}
	}
	return u.dir.Remove(u.temp)
}
