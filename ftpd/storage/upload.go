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
	if o.Append {
		o.Offset = 0
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
	keeps := o.Append || o.Offset > 0
	if err == nil && keeps && existing != nil {
		// What a writer who died has appended is no part of the file.
		if err = rollBack(v.root, p); err == nil {
			existing, err = v.root.Lstat(p)
		}
	}
	switch {
	case err != nil:
	case o.Offset < 0:
		err = fs.ErrInvalid
	case existing == nil && o.Offset > 0, existing != nil && o.Offset > existing.Size():
		err = ErrOffset
	case existing != nil && keeps && (o.Append || o.Offset == existing.Size()):
		return v.appendTo(name, p, o)
	}
	if err != nil {
		return nil, failure("create", name, err)
	}
	return v.createFresh(name, p, existing, o)
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
		dir, _ := split(p)
		p = dir + "/" + link
	}
	return "", nil, syscall.ELOOP
}

// replacement is an upload to a temporary file.
type replacement struct {
	v         *view
	name      string
	dir       *os.Root // the target's directory, wherever that may be moved
	base      string   // the target's name in it
	temp      string
	f         *os.File
	exclusive bool  // the name must be free
	taken     error // what it is if it is not
	done      bool

	// What is kept of the file that will be replaced: its first bytes.
	source *os.File
	kept   int64

	// onto is the file that the upload is written to when it is complete, in place of being renamed;
	// see foreign.go.
	onto *os.File
}

func (v *view) createFresh(name, p string, existing fs.FileInfo, o CreateOptions) (Upload, error) {
	if existing != nil && existing.Mode().Perm()&0o222 == 0 {
		// Write-protected, which a rename would not heed.
		return nil, failure("create", name, fs.ErrPermission)
	}
	dir, base := split(p)
	root, err := openDir(v.root, dir)
	if err != nil {
		return nil, failure("create", name, err)
	}
	if existing != nil {
		if err := mayWrite(root, base); err != nil {
			return nil, failure("create", name, errors.Join(err, root.Close()))
		}
	}
	u := &replacement{v: v, name: name, dir: root, base: base, exclusive: o.Exclusive, taken: fs.ErrExist}
	switch {
	case o.Append && !o.Exclusive:
		// Of two who append to a file that is not there yet, one must not undo the other.
		u.exclusive, u.taken = true, ErrBusy
	case o.Offset > 0:
		err = u.keepPrefix(o.Offset)
	}
	if err == nil {
		err = u.makeTemp(existing, o.Expect)
		if existing != nil && u.f == nil && isForbidden(err) {
			if u.source != nil {
				_ = u.source.Close()
			}
			w, err := v.rewriteFile(name, root, base, o.Offset, false)
			return w, failure("create", name, err)
		}
	}
	if err != nil {
		u.closeAll() //nolint:errcheck // nothing was written
		return nil, failure("create", name, err)
	}
	return u, nil
}

// keepPrefix has the first n bytes of the target come before the upload. They are copied by Commit, for
// an upload that breaks off does not need them; until then there is a hole.
func (u *replacement) keepPrefix(n int64) (err error) {
	u.source, err = u.dir.OpenFile(u.base, openReadFlags, 0)
	if err != nil {
		return err
	}
	info, err := regular(u.source)
	if err == nil && info.Size() < n {
		err = ErrOffset
	}
	u.kept = n
	return err
}

// makeTemp makes the temporary file, with the permissions of the file that it will replace.
func (u *replacement) makeTemp(existing fs.FileInfo, expect int64) (err error) {
	for {
		u.temp = uploadPrefix + rand.Text()
		u.f, err = u.dir.OpenFile(u.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NONBLOCK, fileMode) // see openReadFlags
		if err != nil {
			u.f = nil
			return err
		}
		// The lock tells a sweep, also on another machine, that somebody is at work here. One
		// that came before it has taken the file for a leftover: begin anew.
		held, err := lockNew(u.f)
		if err != nil {
			_ = u.dir.Remove(u.temp)
			return err
		}
		if held {
			break
		}
		_ = u.f.Close()
	}
	if existing != nil {
		// First the owner: it decides who may set the mode.
		if err = u.stage(existing); err == nil && u.onto == nil {
			err = u.f.Chmod(existing.Mode().Perm())
		}
	}
	if err == nil {
		err = u.v.promises.make(u.f, u.dir, expect)
	}
	if err == nil && u.kept > 0 {
		_, err = u.f.Seek(u.kept, io.SeekStart)
	}
	if err != nil {
		_ = u.dir.Remove(u.temp)
	}
	return err
}

func (u *replacement) Writer() io.Writer { return u.f }

func (u *replacement) Commit() error {
	if u.done {
		return fs.ErrClosed
	}
	err := u.fill()
	if err == nil && u.v.durable() {
		err = syncFile(u.f)
	}
	if err == nil {
		err = u.publish()
	}
	if err != nil {
		_ = u.Abort() // what went wrong first is what matters
		return failure("store", u.name, err)
	}
	u.done = true
	if u.v.durable() {
		err = syncDir(u.dir, ".")
	}
	return failure("store", u.name, errors.Join(err, u.closeAll()))
}

// fill copies what is kept of the old file, by reference where the file system can.
func (u *replacement) fill() error {
	if u.source == nil {
		return nil
	}
	if _, err := u.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyN(u.f, u.source, u.kept)
	if errors.Is(err, io.EOF) {
		err = ErrOffset // somebody has cut it meanwhile
	}
	return err
}

// publish gives the file its name.
func (u *replacement) publish() error {
	if u.onto != nil {
		return u.copyOnto()
	}
	if !u.exclusive {
		// What a writer who died has appended goes with the old file, and so must its journal.
		// One who lives finds out.
		if err := settleIn(u.dir, u.base); err != nil && !errors.Is(err, ErrBusy) {
			return err
		}
		return u.dir.Rename(u.temp, u.base)
	}
	err := u.dir.Link(u.temp, u.base)
	switch {
	case err == nil:
		return u.dir.Remove(u.temp)
	case errors.Is(err, fs.ErrExist):
		return u.taken
	case errors.Is(err, fs.ErrNotExist):
		return err
	}
	// A file system without hard links: hold the name with an empty file, then replace that.
	placeholder, err := u.dir.OpenFile(u.base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return u.taken
	}
	if err != nil {
		return err
	}
	return errors.Join(placeholder.Close(), u.dir.Rename(u.temp, u.base))
}

func (u *replacement) Keep() error {
	if u.done {
		return fs.ErrClosed
	}
	if end, err := u.f.Seek(0, io.SeekCurrent); err != nil || end == u.kept {
		return u.Abort()
	}
	return u.Commit()
}

func (u *replacement) Abort() error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	err := u.dir.Remove(u.temp)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return failure("drop the upload of", u.name, errors.Join(err, u.closeAll()))
}

func (u *replacement) closeAll() error {
	var err error
	u.v.promises.keep(u.f)
	for _, f := range []*os.File{u.f, u.source, u.onto} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return errors.Join(err, u.dir.Close())
}
