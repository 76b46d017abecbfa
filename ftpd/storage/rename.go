package storage

import (
	"errors"
	"io/fs"
	"os"
	"path"
)

// renameNew renames within the root and replaces nothing. The kernel sees to that, where it and
// the file system can.
func (v *view) renameNew(from, to string) error {
	err := v.inDirs(from, to, renameNoReplace)
	if errors.Is(err, errors.ErrUnsupported) {
		return v.linkNew(from, to)
	}
	return err
}

// inDirs calls do with the directories of two paths, both below the root however links are
// swapped meanwhile, and the names in them.
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

// linkNew is renameNew where only ordinary calls are there. A file gets its new name by a hard
// link, which never replaces anything, and loses the old one; for a moment it has both. What can't
// be linked is renamed when nothing was seen at the new name, so that it may replace an empty directory,
// or a file if there are no hard links, that came up since.
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
