package quota

import "strings"

// claim is what an operation that runs will free at a name when it ends: the file that an upload
// replaces, or one that COMB removes. What is claimed is the operation's to use meanwhile. A name
// is claimed by one operation at a time, so the same bytes are never given away twice; whatever
// else changes the file changes the claim with it, under the same lock.
type claim struct {
	u    *upload
	name string
	of   usage
}

// claim gives the name to the upload, if no other has it. Called with mu; rebalance has to follow.
func (r *Registry) claim(u *upload, name string, of usage) {
	if r.claims[name] != nil {
		return
	}
	c := &claim{u: u, name: name, of: of}
	r.claims[name] = c
	u.claims = append(u.claims, c)
}

// put notes that what lies at a name, whose lock is held, has changed by other means than the
// growth of a file in place. Called with mu.
func (r *Registry) put(name string, was, now usage) {
	r.record(name, now.minus(was))
	if u := r.appends[name]; u != nil {
		// It writes to a file that no longer has the name; see readings.
		delete(r.appends, name)
		u.rebalance()
	}
	if c := r.claims[name]; c != nil {
		c.of.bytes = now.bytes
		if c.name == c.u.at {
			c.of.files = now.files
		}
		c.u.rebalance()
	}
}

// drop ends the upload's claims, and passes each that is on an upload's target to the one that has
// waited longest. Called with mu.
func (u *upload) drop() {
	r := u.v.r
	claims := u.claims
	u.claims = nil
	for _, c := range claims {
		delete(r.claims, c.name)
		r.pass(c.name, c.of)
	}
}

// pass gives a name that nothing claims to an upload that will replace what lies there.
func (r *Registry) pass(name string, of usage) {
	var next *upload
	for u := range r.running {
		if u.at == name && !u.inPlace && (next == nil || u.number < next.number) {
			next = u
		}
	}
	if next != nil {
		r.claim(next, name, of)
		next.rebalance()
	}
}

// rename follows a directory that was moved. Called with mu.
func (r *Registry) rename(from, to string) {
	renamed := func(name string) (string, bool) {
		if !inside(from, name) {
			return name, false
		}
		return to + strings.TrimPrefix(name, from), true
	}
	for u := range r.running {
		old := u.at
		at, moved := renamed(old)
		if !moved {
			continue // the goroutine that holds its lock may be reading it
		}
		u.at = at
		if r.appends[old] == u {
			delete(r.appends, old)
			r.appends[u.at] = u
		}
		u.charge(r.holding(u.at))
	}
	var claims []*claim
	for name, c := range r.claims {
		if to, moved := renamed(name); moved {
			delete(r.claims, name)
			c.name = to
			claims = append(claims, c)
		}
	}
	for _, c := range claims {
		r.claims[c.name] = c
	}
}

// credit is what the upload's claims let it use.
func (u *upload) credit() (sum usage) {
	for _, c := range u.claims {
		sum = sum.plus(c.of)
	}
	return sum
}

// need is what has to be reserved for the upload now. It is below zero once its data is stored and
// what it claims is about to be removed.
func (u *upload) need() usage {
	credit := u.credit()
	if u.stored {
		return usage{}.minus(credit)
	}
	return usage{
		bytes: max(0, u.base+max(u.written+u.ahead, u.expect)-credit.bytes),
		files: max(0, u.place-credit.files),
	}
}

// rebalance reserves what the upload needs, no more and no less, whatever the limit says. Called
// with mu.
func (u *upload) rebalance() {
	want := u.need()
	for _, a := range u.accounts {
		a.reserved = a.reserved.plus(want.minus(u.held))
	}
	u.held = want
}

// charge moves what is reserved to other accounts. Called with mu.
func (u *upload) charge(accounts []*account) {
	for _, a := range u.accounts {
		a.reserved = a.reserved.minus(u.held)
	}
	u.accounts = accounts
	for _, a := range u.accounts {
		a.reserved = a.reserved.plus(u.held)
	}
}
