package quota

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// upload is an upload whose bytes are reserved before they are written. One goroutine uses it. Registry.mu guards the
// fields that accounts depend on.
type upload struct {
	storage.Upload
	v      *view
	name   string
	parts  []part // will be removed when the upload is stored (COMB)
	number uint64 // grows with each upload that begins
	done   bool
	// unlock must be called when the parts have been removed.
	unlock func()

	// inPlace says that the data are appended to an existing file, whose size was before.
	inPlace bool
	before  int64
	// rewrites says that the data are written to the existing file that they replace, whose size was before.
	rewrites bool
	// base is the number of bytes before the first one that arrives: after REST, those that are kept.
	base int64
	// written bytes have arrived, ahead bytes may arrive at any moment, and expect bytes in all were announced.
	written, ahead, expect int64
	place                  int64 // number of new names: 1, or 0 if the name exists
	stored                 bool  // the data are stored: only the parts must still be removed

	// replaced is the file that the name led to before the upload was published. source is the file that existed when
	// the upload began, and is open to append to it or to keep a part of it; nil if there is none, or once it is
	// closed.
	replaced fs.FileInfo
	source   *inode

	// held is reserved in each of accounts.
	accounts []*account
	held     usage
	claims   []*claim
	at       string // path of the target; follows moves of its directory
}

// Create begins an upload. It may block until the home has been counted.
func (v *view) Create(name string, o storage.CreateOptions) (storage.Upload, error) {
	u, err := v.create(name, o, nil)
	if err != nil {
		return nil, err
	}
	return u, nil
}

// create is Create for an upload after which the parts will be removed.
func (v *view) create(name string, o storage.CreateOptions, parts []string) (u *upload, err error) {
	err = v.enforce("create", name, func() error {
		u, err = v.tryCreate(name, o, parts)
		return err
	})
	return u, err
}

func (v *view) tryCreate(name string, o storage.CreateOptions, parts []string) (*upload, error) {
	u := &upload{v: v, name: name, expect: o.Expect, place: 1}
	names, paths, unlock := v.lockTarget(name, parts)
	defer unlock()
	name, u.at = names[0], paths[0]
	sizes := u.describe(paths[1:])
	var target usage
	var there fs.FileInfo
	// If no account contains the path, the old file matters only at the end, if an account exists by then.
	if o.Offset > 0 || o.Append || v.r.watched(u.at) {
		if info, err := v.FS.Stat(name); err == nil {
			there, target = info, v.r.amount(u.at, info)
		}
	}
	switch {
	case target.files > 0 && (o.Append || o.Offset == target.bytes && o.Offset > 0):
		u.inPlace, u.before, u.place, u.expect = true, target.bytes, 0, 0
	case !o.Append:
		u.base = o.Offset
	}
	if err := u.begin(target, sizes); err != nil {
		return nil, err
	}
	inner, err := v.FS.Create(name, o)
	if err != nil {
		u.release()
		return nil, err
	}
	u.Upload = inner
	if w, ok := inner.(storage.RewriteUpload); ok && w.Rewrites() && !u.inPlace {
		u.rewrites, u.before = true, target.bytes
	}
	if o.Offset > 0 || u.inPlace || u.rewrites {
		u.opens(there)
	}
	if u.inPlace || u.rewrites {
		v.r.mu.Lock()
		v.r.appends[u.at] = u
		v.r.mu.Unlock()
	}
	return u, nil
}

// opens records that the upload has the file open.
func (u *upload) opens(there fs.FileInfo) {
	r := u.v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, known := r.opened(there); known {
		u.source = &id
	}
}

// closes undoes opens. The caller holds mu.
func (u *upload) closes() {
	if u.source != nil {
		u.v.r.closed(*u.source)
		u.source = nil
	}
}

// lockTarget locks what an upload to a name will change, and the parts that it removes. It follows a link in the last
// place of the name, but not of a part.
func (v *view) lockTarget(name string, parts []string) (names, paths []string, unlock func()) {
	if len(parts) == 0 {
		return v.lock(true, v.r.locks.change, name)
	}
	if v.r.any() {
		if resolved, err := storage.Resolve(v.FS, name, true); err == nil {
			name = resolved
		}
	}
	return v.lock(false, v.r.locks.change, append([]string{name}, parts...)...)
}

// begin claims what the upload will free, and reserves what it needs at its start. It refuses an upload that
// certainly does not fit.
func (u *upload) begin(target usage, parts []int64) error {
	r := u.v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.uploads++
	u.number = r.uploads
	u.accounts = r.holding(u.at)
	if !u.inPlace {
		r.claim(u, u.at, target)
	}
	for i, part := range u.parts {
		r.claim(u, part.at, usage{bytes: parts[i]})
	}
	r.running[u] = struct{}{}
	err := u.resize(0)
	if err == nil && (len(u.parts) > 0 && u.exceeded() || u.base+u.expect > 0 && u.overdrawn()) {
		// The parts may fail to be removed. Bytes that are announced, or kept of a file (REST), are reserved before the first
		// byte arrives.
		err = u.refused()
	}
	if err != nil {
		u.releaseLocked()
		return err
	}
	return nil
}

// exceeded reports whether the home holds more bytes than the user may have. The caller holds mu.
func (u *upload) exceeded() bool {
	limit := u.v.r.limits[u.v.user]
	return limit.Bytes > 0 && u.v.r.account(u.v.home).left(limit).bytes < 0
}

// overdrawn reports whether running uploads use more than the limit leaves. That happens if the file that one of them
// would replace is renamed: its bytes are in use and will not become free. Until that upload has ended no other may
// grow, not even within its claims. The caller holds mu.
func (u *upload) overdrawn() bool {
	return u.exceeded() && u.v.r.account(u.v.home).reserved.bytes > 0
}

// refused returns storage.ErrBusy if another operation's claim is in the way, else storage.ErrQuota. The caller holds
// mu.
func (u *upload) refused() error {
	err := storage.ErrQuota
	for _, name := range append([]string{u.at}, u.paths()...) {
		if c := u.v.r.claims[name]; !u.inPlace && c != nil && c.u != u && c.of != (usage{}) {
			err = storage.ErrBusy
		}
	}
	return &fs.PathError{Op: "store", Path: u.name, Err: err}
}

// resize reserves space for n bytes more than were written, if the limit allows it. The caller holds mu.
func (u *upload) resize(n int64) error {
	u.join()
	u.ahead = n
	if !u.v.r.allows(u.v.user, u.v.home, u.need().minus(u.held)) || n > 0 && u.overdrawn() {
		u.ahead = 0
		return u.refused()
	}
	u.rebalance()
	return nil
}

// join also reserves what is held in accounts that were created since, because a user was given a limit. The caller
// holds mu.
func (u *upload) join() {
	for _, a := range u.v.r.holding(u.at) {
		if !slices.Contains(u.accounts, a) {
			u.accounts = append(u.accounts, a)
			a.reserved = a.reserved.plus(u.held)
		}
	}
}

// release gives back what is reserved and claimed. The upload must have ended.
func (u *upload) release() {
	u.v.r.mu.Lock()
	defer u.v.r.mu.Unlock()
	u.releaseLocked()
}

func (u *upload) releaseLocked() {
	r := u.v.r
	u.closes()
	delete(r.running, u)
	if r.appends[u.at] == u {
		delete(r.appends, u.at)
	}
	u.drop()
	for _, a := range u.accounts {
		a.reserved = a.reserved.minus(u.held)
	}
	u.accounts, u.held = nil, usage{}
}

// Writer returns the writer for the data.
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
	defer u.lock()()
	defer u.release()
	err := u.Upload.Abort()
	if u.rewrites {
		u.left()
	}
	return err
}

// left counts what an aborted upload has left in the file that it was to replace. The caller holds the lock of its
// path.
func (u *upload) left() {
	r := u.v.r
	r.mu.Lock()
	known := r.appends[u.at] == u
	if known {
		delete(r.appends, u.at)
	}
	r.mu.Unlock()
	name, _ := u.v.rel(u.at)
	_, now := u.v.there(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if known {
		r.put(u.at, usage{u.before, 1}, now)
	}
}

// lock locks the path of the target, and those of the parts.
func (u *upload) lock() (unlock func()) {
	r := u.v.r
	at := func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		return u.at
	}
	for {
		name := at()
		unlock := r.locks.change(append([]string{name}, u.paths()...)...)
		if at() == name {
			return unlock
		}
		unlock() // the target's directory was moved meanwhile
	}
}

// finish publishes the upload, and counts the change.
func (u *upload) finish(publish func() error) error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	var was, now usage
	var unlock func()
	err := u.v.enforce("store", u.name, func() (err error) {
		unlock = u.lock()
		if was, now, err = u.reserveFinal(); err != nil {
			unlock()
		}
		return err
	})
	if err != nil {
		err = errors.Join(err, u.Upload.Abort())
		u.release()
		return err
	}
	if u.unlock = unlock; u.parts == nil {
		defer unlock()
	}
	err = u.attempt(publish)
	r := u.v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	clean := err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, storage.ErrBusy)
	if _, within := u.v.rel(u.at); !clean || !within {
		// The file may have been published nevertheless, or may replace one that is not visible from here.
		for _, a := range r.holding(u.at) {
			r.restart(a)
		}
	}
	if err == nil {
		u.publish(was, now)
	} else {
		u.releaseLocked()
	}
	return err
}

// publish turns the reserved amount into a stored one. Claims on parts stay until the parts are removed. The caller
// holds mu.
func (u *upload) publish(was, now usage) {
	r := u.v.r
	if r.appends[u.at] == u {
		delete(r.appends, u.at) // from now on the file counts with its real size
	}
	delete(r.running, u)
	u.stored = true
	for _, c := range u.claims {
		if c.name != u.at {
			continue
		}
		u.claims = slices.DeleteFunc(u.claims, func(own *claim) bool { return own == c })
		delete(r.claims, u.at)
		break
	}
	u.rebalance()
	r.put(u.at, was, now)
	u.closes()
	if !u.rewrites {
		r.unnamed(u.at, u.replaced, was)
	}
	if r.claims[u.at] == nil {
		r.pass(u.at, now)
	}
}

// reserveFinal finds out what publishing the upload will change, and reserves that: the file that it replaces may be
// another one than when the upload began.
func (u *upload) reserveFinal() (was, now usage, err error) {
	r := u.v.r
	now = usage{bytes: u.base + u.written, files: 1}
	if u.changed() {
		return was, now, &fs.PathError{Op: "combine", Path: u.name, Err: storage.ErrBusy}
	}
	name, within := u.v.rel(u.at)
	if !u.inPlace && within && r.watched(u.at) {
		u.replaced, was = u.v.there(name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if u.inPlace {
		was, now = usage{u.before, 1}, usage{u.before + u.written, 1}
	}
	if c := r.claims[u.at]; c != nil && c.u == u && within {
		c.of = was
	}
	u.expect = 0 // what was announced and has not arrived is not needed
	if err := u.resize(0); err != nil {
		return was, now, err
	}
	var spare int64
	for _, c := range u.claims {
		if c.name != u.at {
			spare += c.of.bytes
		}
	}
	if now.bytes-was.bytes > spare && u.exceeded() { // the limit was lowered meanwhile
		return was, now, u.refused()
	}
	return was, now, nil
}
