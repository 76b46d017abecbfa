package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// appending is an upload that goes on at the end of a file. Its journal undoes it, unless it is
// committed.
type appending struct {
	v       *view
	name    string
	dir     *os.Root // the file's directory, wherever that may be moved
	base    string
	f       *os.File
	journal *os.File
	before  journalEntry
	done    bool
}

// appendTo opens the file p for writing at its end. With an offset, that must be its end.
func (v *view) appendTo(name, p string, o CreateOptions) (_ Upload, err error) {
	dir, base := split(p)
	u := &appending{v: v, name: name, base: base}
	if u.dir, err = openDir(v.root, dir); err != nil {
		return nil, failure("create", name, err)
	}
	if u.journal, err = makeJournal(u.dir, u.base); err != nil {
		if isForbidden(err) { // as foreign.go has it
			w, err := v.rewriteFile(name, u.dir, base, o.Offset, o.Append)
			return w, failure("create", name, err)
		}
		_ = u.dir.Close()
		return nil, failure("create", name, err)
	}
	if err := u.begin(o); err != nil {
		_ = removeSame(u.dir, journalName(u.base), u.journal)
		_ = u.close()
		return nil, failure("create", name, err)
	}
	return u, nil
}

// begin opens the file and notes in the journal how it is.
func (u *appending) begin(o CreateOptions) (err error) {
	// Without O_APPEND, which would rule out splice.
	u.f, err = u.dir.OpenFile(u.base, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	info, err := regular(u.f)
	if err != nil {
		return err
	}
	if !o.Append && o.Offset != info.Size() {
		return ErrBusy // somebody else wrote since it was looked at
	}
	if err := u.check(); err != nil {
		return err
	}
	u.before = entryOf(u.base, info)
	if err := u.before.write(u.journal); err != nil {
		return err
	}
	if u.v.durable() {
		if err := errors.Join(syncFile(u.journal), syncDir(u.dir, ".")); err != nil {
			return err
		}
	}
	_, err = u.f.Seek(0, io.SeekEnd)
	return err
}

// check reports errChanged if the name no longer is that of the file.
func (u *appending) check() error {
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	there, err := u.dir.Lstat(u.base)
	if err == nil && os.SameFile(info, there) {
		return nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return errChanged
	}
	return err
}

func (u *appending) Writer() io.Writer { return u.f }

func (u *appending) Commit() error {
	if u.done {
		return fs.ErrClosed
	}
	if err := u.complete(); err != nil {
		_ = u.Abort() // what went wrong first is what matters
		return failure("store", u.name, err)
	}
	u.done = true
	// Without its journal the upload is done; that must last too, or a sweep would undo it.
	err := removeSame(u.dir, journalName(u.base), u.journal)
	if err == nil && u.v.durable() {
		err = syncDir(u.dir, ".")
	}
	return failure("store", u.name, errors.Join(err, u.close()))
}

func (u *appending) complete() error {
	if u.v.durable() {
		if err := syncFile(u.f); err != nil {
			return err
		}
	}
	return u.check()
}

func (u *appending) Keep() error {
	if u.done {
		return fs.ErrClosed
	}
	if info, err := u.f.Stat(); err != nil || info.Size() == u.before.Size {
		return u.Abort()
	}
	return u.Commit()
}

func (u *appending) Abort() error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	err := u.f.Truncate(u.before.Size)
	if err == nil {
		err = syncFile(u.f)
	}
	if err == nil {
		if u.check() == nil {
			_ = u.dir.Chtimes(u.base, time.Time{}, u.before.Time)
		}
		err = removeSame(u.dir, journalName(u.base), u.journal)
	}
	// If that failed the journal stays, for whoever opens the file next.
	return failure("drop the upload of", u.name, errors.Join(err, u.close()))
}

func (u *appending) close() error {
	var err error
	if u.f != nil {
		err = u.f.Close()
	}
	return errors.Join(err, u.journal.Close(), u.dir.Close())
}
