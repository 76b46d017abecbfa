package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Volumes that other programs write to hold files of other owners. The kernel decides what the server may do with
// them: it may store to a file that it may write, whatever the permissions of the directory, and the file keeps its
// owner, group and mode.
//
//   - If the server can create a file in the directory, and give it the old file's owner and group, the new file replaces
//     the old one, as with any upload.
//   - If it can create the file but can't change the owner or group, or can't replace the old file (in a directory with the
//     sticky bit, or because the file is a mount point), it first receives the upload completely, and then writes it to the
//     old file; see stage.
//   - If it can't create a file, it writes the data to the old file as they arrive; see rewrite.

// isForbidden reports whether err says that the server may not create a file here.
func isForbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// stage opens the old file, to which the complete upload will be written, if the upload can't replace the old file
// and keep its owner and group. Otherwise it leaves u.onto nil.
func (u *replacement) stage(existing fs.FileInfo) error {
	old := existing.Sys().(*syscall.Stat_t)
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	own := statOf(info)
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
	if err == nil && !sameFile(now, existing) {
		err = errChanged
	}
	return err
}

// sticks reports whether a file that the server may write can't be replaced with rename(2).
func sticks(dir folder, base string, old *syscall.Stat_t) bool {
	info, err := dir.Stat(".")
	if err != nil {
		return false
	}
	euid := uint32(os.Geteuid()) //nolint:gosec // an id
	sticky := info.Mode()&fs.ModeSticky != 0 && euid != 0 && euid != old.Uid && euid != statOf(info).Uid
	return sticky || dir.isMountPoint(base)
}

// copyOnto writes the complete upload to the old file. It first makes sure that there is enough space, if the file
// system can tell.
func (u *replacement) copyOnto() error {
	if err := lock(u.onto); errors.Is(err, errLocked) {
		return ErrBusy
	}
	if err := settleIn(u.dir, u.base); err != nil {
		return err // ErrBusy: another upload appends to the file
	}
	old, err := u.onto.Stat()
	if err != nil {
		return err
	}
	if there, err := u.dir.Lstat(u.base); err != nil || !sameFile(old, there) {
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
