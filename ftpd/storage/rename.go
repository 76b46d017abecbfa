package storage

import (
	"errors"
	"io/fs"
	"os"
	"path"
)

// renameNew renames within the root and never replaces anything. It uses renameat2, if the kernel and the file system
// support that, and linkNew otherwise.
func (v *view) renameNew(from, to string) error {
	err := v.inDirs(from, to, renameNoReplace)
	if errors.Is(err, errors.ErrUnsupported) {
		return v.linkNew(from, to)
	}
	return err
}

// inDirs calls do with the directories of two paths, and with the names in them. Both directories are below the root,
// even if another process swaps links meanwhile.
func (v *view) inDirs(from, to string, do func(fromDir *os.File, fromBase string, toDir *os.File, toBase string) error) error {
	fromDir, err := v.root.OpenFile(path.Dir(from), openDirFlags, 0)
	if err != nil {
		return err
	}
	defer fromDir.Close() //nolint:errcheck // it was not written to
	toDir, err := v.root.OpenFile(path.Dir(to), openDirFlags, 0)
	if err != nil {
		return err
	}
	defer toDir.Close() //nolint:errcheck // it was not written to
	return do(fromDir, path.Base(from), toDir, path.Base(to))
}

// linkNew does the same as renameNew with ordinary system calls. A file gets its new name by a hard link, which never
// replaces anything, and then loses the old name; for a moment it has both. A file or directory that can't be
// hard-linked is renamed after a check. That check can race: an empty directory, or a file on a file system without
// hard links, that is created at the new name in between may be replaced.
func (v *view) linkNew(from, to string) error {
	info, err := v.root.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		err := v.root.Link(from, to)
		if err == nil {
			return v.root.Remove(from)
		}
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if _, err := v.root.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return v.root.Rename(from, to)
}
