package quota

import (
	"path"
	"strings"
	"time"
)

// account is what a home holds. It is guarded by the Registry's mu.
type account struct {
	home string
	// used is what is stored; valid once counted.
	used    usage
	counted bool
	// reserved is what uploads that are running will add. ahead is the part of its bytes that
	// was reserved before the data came.
	reserved usage
	ahead    int64

	// began and took tell of the last count.
	began time.Time
	took  time.Duration
	// walk is the count that is being made, or nil.
	walk *walk
}

// holds reports whether a name lies in the account's home.
func (a *account) holds(name string) bool { return inside(a.home, name) }

// inside reports whether a name lies below a directory.
func inside(dir, name string) bool {
	return dir == "." && name != "." || strings.HasPrefix(name, dir+"/")
}

// holding returns the accounts in whose homes a name lies. Called with mu.
func (r *Registry) holding(name string) []*account {
	var all []*account
	if len(r.accounts) == 0 {
		return nil
	}
	for dir := name; dir != "."; {
		dir = path.Dir(dir)
		if a := r.accounts[dir]; a != nil {
			all = append(all, a)
		}
	}
	return all
}

// watched reports whether a change of the name matters to any account.
func (r *Registry) watched(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.holding(name)) > 0
}

// record notes a change of what is stored at a name, whose lock is held. Called with mu.
func (r *Registry) record(name string, d usage) {
	for _, a := range r.holding(name) {
		a.used = a.used.plus(d)
		if a.walk != nil && a.walk.visited[path.Dir(name)] {
			a.walk.sum = a.walk.sum.plus(d)
		}
	}
}

// made notes a new directory, whose lock is held: a count that has passed its parent won't come
// to it, and has to be told what goes into it. Called with mu.
func (r *Registry) made(dir string) {
	r.record(dir, usage{files: 1})
	for _, a := range r.holding(dir) {
		if a.walk != nil && a.walk.visited[path.Dir(dir)] {
			a.walk.visited[dir] = true
		}
	}
}

// moved notes that a directory has another name, with all that is in it. Called with mu.
func (r *Registry) moved(from, to string) {
	r.rename(from, to)
	for _, a := range r.accounts {
		if a.walk != nil {
			a.walk.void = true
		}
		within := inside(from, a.home) || from == a.home || inside(to, a.home) || to == a.home
		if within || a.holds(from) != a.holds(to) {
			r.restart(a)
		}
	}
}

// allows reports whether the user may add so much to his home. Called with mu. Without a limit he
// may add whatever he likes.
func (r *Registry) allows(user, home string, more usage) bool {
	limit := r.limits[user]
	if !limit.bounded() {
		return true
	}
	own := r.account(home)
	return own.counted && own.fits(limit, more)
}

// fits reports whether so much more is within the limit. What is taken back always is.
func (a *account) fits(limit Limit, want usage) bool {
	left := a.left(limit)
	return (want.bytes <= 0 || limit.Bytes <= 0 || want.bytes <= left.bytes) &&
		(want.files <= 0 || limit.Files <= 0 || want.files <= left.files)
}

// left is what a limit leaves; below zero if it is exceeded. Without a limit it is meaningless.
func (a *account) left(limit Limit) usage {
	return usage{limit.Bytes, limit.Files}.minus(a.used).minus(a.reserved)
}
