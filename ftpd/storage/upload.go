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

// maxLinks is the largest number of links that are followed, one leading to the next, from a target's name.
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
		// Roll back an append whose process crashed.
		if err = v.rollBack(p); err == nil {
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

// target returns the path to which an upload to p is written, and describes the file there (nil if there is none).
// Like writing through a link, it follows a link in the last place.
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
		// path.Join would clean the path, but the root must resolve a ".." after a link to a directory.
		dir, _ := split(p)
		p = dir + "/" + link
	}
	return "", nil, syscall.ELOOP
}

// replacement is an upload to a temporary file, which then replaces the target.
type replacement struct {
	v         *view
	name      string
	dir       folder // the target's directory; stays the same directory if that is moved
	base      string // the name of the target in dir
	temp      string
	f         *os.File
	exclusive bool  // the target must not exist
	taken     error // the error if it does
	done      bool

	// source is the file to be replaced, and kept the number of its first bytes that are kept.
	source *os.File
	kept   int64

	// onto, if not nil, is the existing file to which the complete upload is written, because the temporary file
	// can't be renamed to it; see foreign.go.
	onto *os.File
}

func (v *view) createFresh(name, p string, existing fs.FileInfo, o CreateOptions) (Upload, error) {
	if existing != nil && existing.Mode().Perm()&0o222 == 0 {
		// Rename would replace a write-protected file.
		return nil, failure("create", name, fs.ErrPermission)
	}
	dir, base := split(p)
	folder, err := v.folder(dir)
	if err != nil {
		return nil, failure("create", name, err)
	}
	if existing != nil {
		if err := folder.mayWrite(base); err != nil {
			return nil, failure("create", name, errors.Join(err, folder.Close()))
		}
	}
	u := &replacement{v: v, name: name, dir: folder, base: base, exclusive: o.Exclusive, taken: fs.ErrExist}
	switch {
	case o.Append && !o.Exclusive:
		// Two uploads append to a file that does not exist yet: one must not replace the other's.
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
			w, err := v.rewriteFile(name, folder, base, o.Offset, false)
			return w, failure("create", name, err)
		}
	}
	if err != nil {
		u.closeAll() //nolint:errcheck // nothing was written
		return nil, failure("create", name, err)
	}
	return u, nil
}

// keepPrefix keeps the first n bytes of the target before the upload. Commit copies them, since an upload that breaks
// off does not need them; until then the temporary file has a hole there.
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

// makeTemp creates the temporary file, with the permissions of the file that it will replace.
func (u *replacement) makeTemp(existing fs.FileInfo, expect int64) (err error) {
	for {
		u.temp = uploadPrefix + rand.Text()
		u.f, err = u.dir.OpenFile(u.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NONBLOCK, fileMode) // for the flags see openReadFlags
		if err != nil {
			u.f = nil
			return err
		}
		// The lock tells a sweep, also one on another machine, that an upload is running. If a sweep came before the
		// lock, it has taken the file for a leftover; create another one.
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
		// The owner first: only the owner may set the mode.
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
	var c *commit
	if err == nil && u.v.durable() {
		c, err = openCommit(u.dir, ".")
	}
	defer c.close()
	if err == nil {
		err = c.syncData(u.f)
	}
	if err == nil {
		err = u.publish()
	}
	if err != nil {
		_ = u.Abort() // the first error is the one that matters
		return failure("store", u.name, err)
	}
	u.done = true
	return failure("store", u.name, errors.Join(c.syncNames(), u.closeAll()))
}

// fill copies the kept bytes of the old file; by reference, if the file system can do that.
func (u *replacement) fill() error {
	if u.source == nil {
		return nil
	}
	if _, err := u.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyN(u.f, u.source, u.kept)
	if errors.Is(err, io.EOF) {
		err = ErrOffset // the file was truncated meanwhile
	}
	return err
}

// publish gives the file its name.
func (u *replacement) publish() error {
	if u.onto != nil {
		return u.copyOnto()
	}
	if !u.exclusive {
		// If a crashed process had appended to the old file, that is lost with the file, so its journal must be
		// removed. An upload that appends now will notice the replacement.
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
	// The file system has no hard links: reserve the name with an empty file, then replace that.
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
