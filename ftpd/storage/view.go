package storage

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
	"syscall"
	"time"
)

// These flags open a directory and nothing else, or any file without blocking. (With O_NONBLOCK package os also makes
// fewer system calls.)
const (
	openDirFlags  = os.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NONBLOCK
	openReadFlags = os.O_RDONLY | syscall.O_NONBLOCK
)

// view is the FS of one home.
type view struct {
	root     *os.Root
	beneath  *beneath
	noSync   *atomic.Bool // shared with the Local
	promises *promises
	kept     kept         // shared with the Local
	place    string       // path of the home below the Local's root
	close    func() error // gives back root
}

// durable reports whether changes must be on the disk before they are acknowledged.
func (v *view) durable() bool { return !v.noSync.Load() }

// syncDir makes the entries of a directory durable, unless NoSync is set.
func (v *view) syncDir(dir string) error {
	if !v.durable() {
		return nil
	}
	return syncDir(v.root, dir)
}

func (v *view) Close() error { return v.close() }

func (v *view) Stat(name string) (fs.FileInfo, error) {
	p, err := inRoot(name)
	if err != nil {
		return nil, failure("stat", name, err)
	}
	info, err := v.root.Stat(p)
	return info, failure("stat", name, err)
}

func (v *view) Lstat(name string) (fs.FileInfo, error) {
	p, err := inRoot(name)
	if err != nil {
		return nil, failure("stat", name, err)
	}
	info, err := v.root.Lstat(p)
	return info, failure("stat", name, err)
}

func (v *view) Open(name string) (File, error) {
	p, err := inRoot(name)
	if err != nil {
		return nil, failure("open", name, err)
	}
	// Readers never see what a crashed append has left; what a running append has written they may see.
	if err := v.rollBack(p); err != nil && !errors.Is(err, ErrBusy) {
		return nil, failure("open", name, err)
	}
	f, err := v.beneath.openRead(p)
	if errors.Is(err, errUseRoot) {
		f, err = openRead(v.root, p)
	}
	return f, failure("open", name, err)
}

// rollBack undoes what a crashed writer has appended to the file p; see the function. Most files have no journal, and for
// those the first check is all.
func (v *view) rollBack(p string) error {
	dir, base := split(p)
	if v.beneath.absent(dir + "/" + journalName(base)) {
		return nil
	}
	return rollBack(v.root, p)
}

// openRead opens the regular file p for reading.
func openRead(root *os.Root, p string) (File, error) {
	f, err := root.OpenFile(p, openReadFlags, 0)
	if err != nil {
		return nil, err
	}
	if _, err := regular(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// regular describes an open file. It returns an error if the file is not regular.
func regular(f *os.File) (fs.FileInfo, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return info, checkRegular(info)
}

func checkRegular(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return ErrIsDirectory
	case !info.Mode().IsRegular():
		return ErrNotRegular
	}
	return nil
}

func (v *view) Mkdir(name string) error {
	p, err := newInRoot(name)
	if err != nil {
		return failure("mkdir", name, err)
	}
	if err = v.root.Mkdir(p, dirMode); err == nil {
		err = v.syncDir(path.Dir(p))
	}
	return failure("mkdir", name, err)
}

func (v *view) Remove(name string) error {
	return failure("remove", name, v.remove(name, func(mode fs.FileMode) error {
		if mode.IsDir() {
			return ErrIsDirectory
		}
		return nil
	}))
}

func (v *view) Rmdir(name string) error {
	return failure("rmdir", name, v.remove(name, func(mode fs.FileMode) error {
		switch {
		case mode&fs.ModeSymlink != 0:
			return ErrLink
		case !mode.IsDir():
			return ErrNotDirectory
		}
		return nil
	}))
}

// remove removes an entry (a link, not its target) if allowed returns nil for its type.
func (v *view) remove(name string, allowed func(fs.FileMode) error) error {
	p, err := inRoot(name)
	if err != nil {
		return err
	}
	info, err := v.root.Lstat(p)
	if err != nil {
		return err
	}
	if err := allowed(info.Mode()); err != nil {
		return err
	}
	if p == "." {
		return fs.ErrPermission // the home itself
	}
	// This comes first, since the journal must not be applied to a later file with this name.
	if err := v.rollBack(p); err != nil && !errors.Is(err, ErrBusy) {
		return err
	}
	return v.root.Remove(p)
}

func (v *view) Rename(from, to string) error { return v.move(from, to, v.root.Rename) }

func (v *view) RenameNew(from, to string) error { return v.move(from, to, v.renameNew) }

// move does what Rename does, with a function that takes paths within the root.
func (v *view) move(from, to string, rename func(from, to string) error) error {
	old, err := inRoot(from)
	if err != nil {
		return failure("rename", from, err)
	}
	target, err := newInRoot(to)
	if err != nil {
		return failure("rename to", to, err)
	}
	if old == "." || target == "." {
		return failure("rename", from, fs.ErrPermission)
	}
	// A journal does not move with its file, so it must not be needed any more.
	if err := v.rollBack(old); err != nil {
		return failure("rename", from, err)
	}
	if err := v.rollBack(target); err != nil && !errors.Is(err, ErrBusy) {
		return failure("rename", to, err)
	}
	if err := rename(old, target); err != nil {
		return failure("rename", from, err)
	}
	// Clients often store a file under one name and rename it when it is complete, so the new name must survive a
	// crash once the rename was acknowledged.
	err = v.syncDir(path.Dir(target))
	if err == nil && path.Dir(old) != path.Dir(target) {
		err = v.syncDir(path.Dir(old))
	}
	return failure("rename", from, err)
}

func (v *view) SetModTime(name string, t time.Time) error {
	p, err := inRoot(name)
	if err == nil {
		err = v.root.Chtimes(p, time.Time{}, t) // the zero time leaves the access time unchanged
	}
	return failure("set the time of", name, err)
}

func (v *view) Chmod(name string, mode fs.FileMode) error {
	p, err := inRoot(name)
	if err != nil {
		return failure("chmod", name, err)
	}
	mode = mode.Perm()
	info, err := v.root.Stat(p)
	if err == nil {
		if info.IsDir() {
			mode |= ownDir // the server must read the directory to count quotas and to sweep
		}
		err = v.root.Chmod(p, mode)
	}
	return failure("chmod", name, err)
}

func (v *view) ReadDir(name string) (Dir, error) {
	p, err := inRoot(name)
	if err != nil {
		return nil, failure("list", name, err)
	}
	f, err := v.root.OpenFile(p, openDirFlags, 0)
	if err != nil {
		return nil, failure("list", name, err)
	}
	return v.kept.dir(f, name), nil
}
