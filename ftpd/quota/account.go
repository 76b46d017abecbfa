package quota

import (
	"path"
	"strings"
	"time"
)

// account says how much a home holds. Registry.mu guards it.
type account struct {
	home string
	// used is what is stored in the home; valid if counted is true.
	used    usage
	counted bool
	// reserved is what running uploads will add. ahead is the part of its bytes that was reserved before the data
	// arrived.
	reserved usage
	ahead    int64

	// began is the time at which the last count began, and took its duration.
	began time.Time
	took  time.Duration
	// walk is the running count; nil if none is running.
	walk *walk
}

// holds reports whether a path is in the account's home.
func (a *account) holds(name string) bool { return inside(a.home, name) }

// inside reports whether a path is below a directory.
func inside(dir, name string) bool {
	return dir == "." && name != "." || strings.HasPrefix(name, dir+"/")
}

// holding returns the accounts whose homes contain a path. The caller holds mu.
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

// watched reports whether any account's home contains the path, so that a change of it must be counted.
func (r *Registry) watched(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.holding(name)) > 0
}

// record adds a change of what is stored at a path to the accounts. The caller holds the path's lock and mu.
func (r *Registry) record(name string, d usage) {
	for _, a := range r.holding(name) {
		a.used = a.used.plus(d)
		if a.walk != nil && a.walk.visited[path.Dir(name)] {
			a.walk.sum = a.walk.sum.plus(d)
		}
	}
}

// made records a new directory. A count that has already read the parent will not read the new directory, so made
// marks it as visited: from now on changes in it are added to the count. The caller holds the directory's lock and
// mu.
func (r *Registry) made(dir string) {
	r.record(dir, usage{files: 1})
	for _, a := range r.holding(dir) {
		if a.walk != nil && a.walk.visited[path.Dir(dir)] {
			a.walk.visited[dir] = true
		}
	}
}

// moved records that a directory was moved with everything in it. The caller holds mu.
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

// allows reports whether the user may add so much to their home. A user without a limit always may. The caller holds
// mu.
func (r *Registry) allows(user, home string, more usage) bool {
	limit := r.limits[user]
	if !limit.bounded() {
		return true
	}
	own := r.account(home)
	return own.counted && own.fits(limit, more)
}

// fits reports whether so much more is within the limit. A negative amount always is.
func (a *account) fits(limit Limit, want usage) bool {
	left := a.left(limit)
	return (want.bytes <= 0 || limit.Bytes <= 0 || want.bytes <= left.bytes) &&
		(want.files <= 0 || limit.Files <= 0 || want.files <= left.files)
}

// left returns what the limit leaves, which is negative if the limit is exceeded. A part without a limit has no
// meaning.
func (a *account) left(limit Limit) usage {
	return usage{limit.Bytes, limit.Files}.minus(a.used).minus(a.reserved)
}
