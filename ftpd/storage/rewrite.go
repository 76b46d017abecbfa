package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// rewrite is an upload that is written directly to an existing file, because no other file can be created. It has no
// journal: what it overwrites is lost, even if the upload is aborted. An abort undoes only what was added at the end,
// and a crash not even that.
type rewrite struct {
	v      *view
	name   string
	dir    folder
	base   string
	f      *os.File
	before int64 // size of the file before the upload
	kept   int64 // number of bytes of the file that come before the upload
	begun  bool  // the file was truncated and is being written
	done   bool
}

// RewriteUpload is an Upload that may change the existing file as the data arrive. Rewrites reports whether it does.
type RewriteUpload interface{ Rewrites() bool }

// Rewrites returns true.
func (u *rewrite) Rewrites() bool { return true }

// rewriteFile opens the file base of a directory for an upload that comes after its first kept bytes, or after all of
// them if appending is set. It closes dir when the upload ends.
func (v *view) rewriteFile(name string, dir folder, base string, kept int64, appending bool) (_ Upload, err error) {
	u := &rewrite{v: v, name: name, dir: dir, base: base, kept: kept}
	if u.f, err = dir.OpenFile(base, os.O_WRONLY|syscall.O_NONBLOCK, 0); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	err = u.open(appending)
	if err != nil {
		return nil, errors.Join(err, u.f.Close(), dir.Close())
	}
	return u, nil
}

func (u *rewrite) open(appending bool) error {
	info, err := regular(u.f)
	if err != nil {
		return err
	}
	if errors.Is(lock(u.f), errLocked) {
		return ErrBusy
	}
	if u.before = info.Size(); appending {
		u.kept = u.before
	}
	if u.kept > u.before {
		return ErrOffset
	}
	_, err = u.f.Seek(u.kept, io.SeekStart)
	return err
}

// begin cuts off what the upload replaces. It is called when the first byte arrives, so that nothing is lost if the
// client can't send.
func (u *rewrite) begin() error {
	if u.begun {
		return nil
	}
	u.begun = true
	return u.f.Truncate(u.kept)
}

func (u *rewrite) Writer() io.Writer { return rewriter{u} }

// rewriter writes to the file.
type rewriter struct{ u *rewrite }

func (w rewriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := w.u.begin(); err != nil {
		return 0, err
	}
	return w.u.f.Write(p)
}

// ReadFrom waits for the first bytes, and leaves the rest to the file's ReadFrom, so that splice applies.
func (w rewriter) ReadFrom(src io.Reader) (int64, error) {
	if w.u.begun {
		return w.u.f.ReadFrom(src)
	}
	var first [4 << 10]byte
	n, err := src.Read(first[:])
	if n > 0 {
		put, failed := w.Write(first[:n])
		if failed != nil {
			return int64(put), failed
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	} else if err == nil {
		rest, failed := w.u.f.ReadFrom(src)
		return int64(n) + rest, failed
	}
	return int64(n), err
}

func (u *rewrite) Commit() error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	err := u.begin()
	if err == nil && u.v.durable() {
		err = syncFile(u.f)
	}
	if err == nil {
		err = u.check()
	}
	return failure("store", u.name, errors.Join(err, u.f.Close(), u.dir.Close()))
}

// check returns errChanged if the name no longer names the open file.
func (u *rewrite) check() error {
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	if there, err := u.dir.Lstat(u.base); err != nil || !sameFile(info, there) {
		return errChanged
	}
	return nil
}

func (u *rewrite) Keep() error {
	if !u.begun {
		return u.Abort()
	}
	return u.Commit()
}

func (u *rewrite) Abort() error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	var err error
	if u.begun && u.kept == u.before {
		err = u.f.Truncate(u.before)
	}
	if u.begun && err == nil {
		err = syncFile(u.f)
	}
	return failure("drop the upload of", u.name, errors.Join(err, u.f.Close(), u.dir.Close()))
}
