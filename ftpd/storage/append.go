package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// appending is an upload that is written to the end of an existing file. If it is not committed, its journal undoes
// it.
type appending struct {
	v       *view
	name    string
	dir     folder // the file's directory; stays the same directory if that is moved
	base    string
	f       *os.File
	journal *os.File
	before  journalEntry
	done    bool
}

// appendTo opens the file p for writing at its end. If o.Offset is used, it must be the size of the file.
func (v *view) appendTo(name, p string, o CreateOptions) (_ Upload, err error) {
	dir, base := split(p)
	u := &appending{v: v, name: name, base: base}
	if u.dir, err = v.folder(dir); err != nil {
		return nil, failure("create", name, err)
	}
	if u.journal, err = makeJournal(u.dir, u.base); err != nil {
		if isForbidden(err) { // no journal can be made here; see foreign.go
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

// begin opens the file and records its state in the journal.
func (u *appending) begin(o CreateOptions) (err error) {
	// O_APPEND would rule out splice.
	u.f, err = u.dir.OpenFile(u.base, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	info, err := regular(u.f)
	if err != nil {
		return err
	}
	if !o.Append && o.Offset != info.Size() {
		return ErrBusy // another writer has changed the size since Create looked at it
	}
	if err := u.check(); err != nil {
		return err
	}
	u.before = entryOf(u.base, info)
	if err := u.before.write(u.journal); err != nil {
		return err
	}
	if err := u.syncJournal(); err != nil {
		return err
	}
	_, err = u.f.Seek(0, io.SeekEnd)
	return err
}

// syncJournal makes the journal durable, which must come before the first byte.
func (u *appending) syncJournal() error {
	if !u.v.durable() {
		return nil
	}
	c, err := openCommit(u.dir, ".")
	if err != nil {
		return err
	}
	defer c.close()
	return errors.Join(c.syncData(u.journal), c.syncNames())
}

// check returns errChanged if the name no longer names the open file.
func (u *appending) check() error {
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	there, err := u.dir.Lstat(u.base)
	if err == nil && sameFile(info, there) {
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
	var c *commit
	var err error
	if u.v.durable() {
		c, err = openCommit(u.dir, ".")
	}
	defer c.close()
	if err == nil {
		err = c.syncData(u.f)
	}
	if err == nil {
		err = u.check()
	}
	if err != nil {
		_ = u.Abort() // the first error is the one that matters
		return failure("store", u.name, err)
	}
	u.done = true
	// The upload is complete once its journal is removed. That removal must be durable, or a sweep would undo the
	// upload.
	err = removeSame(u.dir, journalName(u.base), u.journal)
	if err == nil {
		err = c.syncNames()
	}
	return failure("store", u.name, errors.Join(err, u.close()))
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
	// If this failed the journal remains, and the process that opens the file next undoes the append.
	return failure("drop the upload of", u.name, errors.Join(err, u.close()))
}

func (u *appending) close() error {
	var err error
	if u.f != nil {
		err = u.f.Close()
	}
	return errors.Join(err, u.journal.Close(), u.dir.Close())
}
