package quota

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// upload is an upload whose bytes are reserved before they are written. It belongs to one
// goroutine; what the accounts know of it is guarded by the Registry's mu.
type upload struct {
	storage.Upload
	v    *view
	name string
	abs  string

	// appends: what comes is added to the file, which was of the size before and grows in place.
	appends bool
	before  int64
	// base is what the file holds before the first byte that comes: after REST, what is kept.
	base int64
	// credit is how many bytes will be free when it ends: spare, and those of the file that it
	// replaces.
	credit, spare int64
	written       int64

	// What is reserved, and where.
	accounts []*account
	held     usage
	at       string // abs, or where that is since a directory was moved
	done     bool
}

// Create begins an upload, which may have to wait until the home has been counted.
func (v *view) Create(name string, o storage.CreateOptions) (storage.Upload, error) {
	return v.create(name, o, 0)
}

// create is Create for an upload after which spare bytes will be removed elsewhere.
func (v *view) create(name string, o storage.CreateOptions, spare int64) (u storage.Upload, err error) {
	err = v.enforce("create", name, func() error {
		u, err = v.tryCreate(name, o, spare)
		return err
	})
	return u, err
}

func (v *view) tryCreate(name string, o storage.CreateOptions, spare int64) (storage.Upload, error) {
	u := &upload{v: v, name: name, abs: v.abs(name), credit: spare, spare: spare}
	defer v.r.locks.change(u.abs)()
	var size int64
	want := usage{files: 1}
	// Where nothing is counted, what is there matters only at the end, if it is counted by then.
	if o.Offset > 0 || o.Append || v.r.watched(u.abs) {
		if info, err := v.FS.Stat(name); err == nil {
			want.files = 0
			size = info.Size()
		}
	}
	switch {
	case o.Append, o.Offset > 0 && o.Offset == size:
		u.appends = true
	default:
		u.base = o.Offset
		u.credit += size
	}
	if err := u.reserve(want, u.base+o.Expect); err != nil {
		return nil, err
	}
	inner, err := v.FS.Create(name, o)
	if err != nil {
		u.release()
		return nil, err
	}
	u.Upload = inner
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	v.r.running[u] = struct{}{}
	if u.at = u.abs; u.appends && want.files == 0 {
		u.before = size
		v.r.appends[u.at] = u
	}
	return u, nil
}

// reserve takes what is needed from the beginning, and refuses an upload of which it is clear that
// it can't fit.
func (u *upload) reserve(want usage, size int64) error {
	r := u.v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	u.accounts = r.holding(u.abs)
	announced := usage{bytes: max(0, size-u.credit)}
	if !r.take(u.v.user, u.v.home, u.accounts, want.plus(announced)) {
		return u.refused()
	}
	u.held = want
	for _, a := range u.accounts {
		a.reserved = a.reserved.minus(announced) // it was only a question
	}
	return nil
}

func (u *upload) refused() error {
	return &fs.PathError{Op: "store", Path: u.name, Err: storage.ErrQuota}
}

// need is how many bytes must be reserved for so many that were written.
func (u *upload) need(written int64) int64 { return max(0, u.base+written-u.credit) }

// hold changes what is reserved in bytes to what so many written bytes need. It reports false if
// the limit does not allow it. Called with mu.
func (u *upload) hold(written int64) bool {
	u.adopt()
	more := usage{bytes: u.need(written) - u.held.bytes}
	if !u.v.r.take(u.v.user, u.v.home, u.accounts, more) {
		return false
	}
	u.held = u.held.plus(more)
	return true
}

// adopt reserves what is held in accounts that came about since, because a user was given a
// limit. Called with mu.
func (u *upload) adopt() {
	for _, a := range u.v.r.holding(u.abs) {
		if !slices.Contains(u.accounts, a) {
			u.accounts = append(u.accounts, a)
			a.reserved = a.reserved.plus(u.held)
		}
	}
}

// release gives back what is reserved. The upload is over.
func (u *upload) release() {
	u.v.r.mu.Lock()
	defer u.v.r.mu.Unlock()
	u.releaseLocked()
}

func (u *upload) releaseLocked() {
	for _, a := range u.accounts {
		a.reserved = a.reserved.minus(u.held)
	}
	u.held = usage{}
	delete(u.v.r.running, u)
	if u.v.r.appends[u.at] == u {
		delete(u.v.r.appends, u.at)
	}
}

// Writer is where the data goes.
func (u *upload) Writer() io.Writer { return &writer{u: u, to: u.Upload.Writer()} }

func (u *upload) Commit() error { return u.finish(u.Upload.Commit) }

func (u *upload) Keep() error {
	if u.written == 0 {
		return u.Abort()
	}
	return u.finish(u.Upload.Keep)
}

func (u *upload) Abort() error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	unlock := u.v.r.locks.change(u.abs)
	defer unlock()
	defer u.release()
	return u.Upload.Abort()
}

// finish publishes the upload and counts what that changes.
func (u *upload) finish(publish func() error) error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	var change usage
	var unlock func()
	err := u.v.enforce("store", u.name, func() (err error) {
		unlock = u.v.r.locks.change(u.abs)
		if change, err = u.settle(); err != nil {
			unlock()
		}
		return err
	})
	if err != nil {
		u.release()
		return errors.Join(err, u.Upload.Abort())
	}
	defer unlock()
	err = publish()
	r := u.v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	u.releaseLocked()
	clean := err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, storage.ErrBusy)
	if !clean || u.at != u.abs {
		// It may be there nevertheless, or is elsewhere.
		for _, a := range append(r.holding(u.abs), r.holding(u.at)...) {
			r.restart(a)
		}
	}
	if err == nil {
		delete(r.appends, u.at) // what grows there is no longer of that name
		r.record(u.at, change)
	}
	return err
}

// settle finds what publishing the upload will change, and sees to it that it is reserved: what
// it replaces may be another file by now than at the beginning.
func (u *upload) settle() (change usage, err error) {
	r := u.v.r
	change = usage{bytes: u.written}
	if !u.appends || u.held.files > 0 {
		change = usage{bytes: u.base + u.written, files: 1}
		if r.watched(u.abs) {
			if info, err := u.v.FS.Stat(u.name); err == nil {
				change = change.minus(r.amount(u.abs, info))
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	u.adopt()
	more := change.minus(u.held)
	more = usage{max(0, more.bytes-u.spare), max(0, more.files)}
	limit := r.limits[u.v.user]
	over := limit.Bytes > 0 && change.bytes > u.spare && r.account(u.v.home).left(limit).bytes < more.bytes
	if over || !r.take(u.v.user, u.v.home, u.accounts, more) { // over also if the limit is lower than it was
		return change, u.refused()
	}
	u.held = u.held.plus(more)
	return change, nil
}
