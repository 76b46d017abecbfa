package storage

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// maxLinks bounds how many links of a target's name are followed, one leading to the next.
const maxLinks = 8

func (v *view) Create(name string, o CreateOptions) (Upload, error) {
	p, err := newInRoot(name)
	if err != nil {
		return nil, failure("create", name, err)
	}
	if o.Exclusive {
		if _, err := v.root.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
			if err == nil {
				err = fs.ErrExist
			}
			return nil, failure("create", name, err)
		}
	}
	p, existing, err := v.target(p)
	switch {
	case err != nil:
	case o.Offset < 0:
		err = fs.ErrInvalid
	case existing != nil && (o.Append || o.Offset > 0):
		return v.openInPlace(name, p, o)
	case o.Offset > 0 && !o.Append:
		err = ErrOffset
	}
	if err != nil {
		return nil, failure("create", name, err)
	}
	return v.createFresh(name, p, existing, o.Exclusive)
}

// target finds where an upload to p goes, following a link in the last place as writing through
// it would, and what is there: nil if nothing is.
func (v *view) target(p string) (string, fs.FileInfo, error) {
	for range maxLinks {
		info, err := v.root.Lstat(p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return p, nil, nil
		case err != nil:
			return "", nil, err
		case info.Mode()&fs.ModeSymlink == 0:
			return p, info, checkRegular(info)
		}
		link, err := v.root.Readlink(p)
		if err != nil {
			return "", nil, err
		}
		if path.IsAbs(link) {
			return "", nil, escapeError{}
		}
		// Not path.Join: ".." after a link to a directory is for the root to resolve.
		p = path.Dir(p) + "/" + link
	}
	return "", nil, syscall.ELOOP
}

// fresh is an upload to a temporary file.
type fresh struct {
	name      string
	dir       *os.Root // the target's directory, wherever that may be moved
	base      string   // the target's name in it
	temp      string
	f         *os.File
	exclusive bool
	done      bool
}

func (v *view) createFresh(name, p string, existing fs.FileInfo, exclusive bool) (Upload, error) {
	if existing != nil && existing.Mode().Perm()&0o222 == 0 {
		// Write-protected, which a rename would not heed.
		return nil, failure("create", name, fs.ErrPermission)
	}
	dir, err := openDir(v.root, path.Dir(p))
	if err != nil {
		return nil, failure("create", name, err)
	}
	u := &fresh{name: name, dir: dir, base: path.Base(p), exclusive: exclusive}
	if err := u.makeTemp(existing); err != nil {
		_ = dir.Close()
		return nil, failure("create", name, err)
	}
	return u, nil
}

// makeTemp makes the temporary file, with the permissions of the file that it will replace.
func (u *fresh) makeTemp(existing fs.FileInfo) (err error) {
	for {
		u.temp = uploadPrefix + rand.Text()
		u.f, err = u.dir.OpenFile(u.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		if err != nil {
			return err
		}
		// The lock tells a sweep, also on another machine, that somebody is at work here. One
		// that came before it has taken the file for a leftover: begin anew.
		if !errors.Is(lock(u.f), errLocked) {
			break
		}
		_ = u.f.Close()
	}
	if existing != nil {
		if err := u.f.Chmod(existing.Mode().Perm()); err != nil {
			_ = u.f.Close()
			_ = u.dir.Remove(u.temp)
			return err
		}
	}
	return nil
}

func (u *fresh) Writer() io.Writer { return u.f }

func (u *fresh) Commit() error {
	if u.done {
		return fs.ErrClosed
	}
	err := u.f.Sync()
	if err == nil {
		err = u.publish()
	}
	if err != nil {
		_ = u.Abort() // what went wrong first is what matters
		return failure("store", u.name, err)
	}
	u.done = true
	return failure("store", u.name, errors.Join(syncDir(u.dir, "."), u.f.Close(), u.dir.Close()))
}

// publish gives the file its name.
func (u *fresh) publish() error {
	if !u.exclusive {
		return u.dir.Rename(u.temp, u.base)
	}
	err := u.dir.Link(u.temp, u.base)
	if err == nil {
		return u.dir.Remove(u.temp)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A file system without hard links: hold the name with an empty file, then replace that.
	placeholder, err := u.dir.OpenFile(u.base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	return errors.Join(placeholder.Close(), u.dir.Rename(u.temp, u.base))
}

func (u *fresh) Abort() error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	err := u.dir.Remove(u.temp)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return failure("drop the upload of", u.name, errors.Join(err, u.f.Close(), u.dir.Close()))
}
