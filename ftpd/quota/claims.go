package quota

import "strings"

// claim is what an operation will free at a path when it ends: the file that an upload replaces, or a part that COMB
// removes. Until then only that operation may use the claimed bytes. Only one operation at a time can claim a path,
// so the same bytes are never given away twice. If another operation changes the file, it changes the claim, too,
// under the same lock.
type claim struct {
	u    *upload
	name string
	of   usage
}

// claim claims a path for the upload, unless another one has claimed it. The caller holds mu, and must then call
// rebalance.
func (r *Registry) claim(u *upload, name string, of usage) {
	if r.claims[name] != nil {
		return
	}
	c := &claim{u: u, name: name, of: of}
	r.claims[name] = c
	u.claims = append(u.claims, c)
}

// put records that the file at a path was changed, other than by growing in place. The caller holds the path's lock
// and mu.
func (r *Registry) put(name string, was, now usage) {
	r.record(name, now.minus(was))
	if u := r.appends[name]; u != nil {
		// The upload writes to a file that has lost its name; see readings.
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

// drop ends the upload's claims. A claim on the target of other uploads passes to the one that began first. The
// caller holds mu.
func (u *upload) drop() {
	r := u.v.r
	claims := u.claims
	u.claims = nil
	for _, c := range claims {
		delete(r.claims, c.name)
		r.pass(c.name, c.of)
	}
}

// pass gives the claim on an unclaimed path to an upload that will replace the file there, if there is one.
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

// rename applies the move of a directory to the paths of uploads and claims. The caller holds mu.
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
			continue // u.at must not be written: the goroutine that holds the path's lock may be reading it
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

// credit returns the sum of what the upload's claims let it use.
func (u *upload) credit() (sum usage) {
	for _, c := range u.claims {
		sum = sum.plus(c.of)
	}
	return sum
}

// need returns what must be reserved for the upload now. It is negative when the upload's data are stored and the
// files that it claims are about to be removed.
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

// rebalance reserves exactly what the upload needs, whatever the limit is. The caller holds mu.
func (u *upload) rebalance() {
	want := u.need()
	for _, a := range u.accounts {
		a.reserved = a.reserved.plus(want.minus(u.held))
	}
	u.held = want
}

// charge moves what is reserved to other accounts. The caller holds mu.
func (u *upload) charge(accounts []*account) {
	for _, a := range u.accounts {
		a.reserved = a.reserved.minus(u.held)
	}
	u.accounts = accounts
	for _, a := range u.accounts {
		a.reserved = a.reserved.plus(u.held)
	}
}
