//go:build linux

package facts

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// Snapshot is what a directory held at one moment, each name once. It never changes; update returns another one. The
// pages of the two are the same where nothing has changed. Its memory is held until all who use it have released it.
type Snapshot struct {
	users atomic.Int32
	// pages are found by the hash of a name; those with an odd index hold the symbolic links. A page without entries is nil.
	pages   []*Page
	seed    maphash.Seed
	count   int
	recheck []string // names of the entries that change without events; each ends with a zero byte
	account *account
	dev     uint64 // of the directory
}

// nameCost is the memory of a name besides its bytes: names are kept as the kernel returned them, among other data.
const nameCost = 28

// cost returns the memory that a fact takes in a page.
func cost(f *fact) int64 { return factSize + int64(len(f.name)) + nameCost }

// newSnapshot returns a snapshot of facts, whose cost was taken from the account, to its first user.
func newSnapshot(facts []fact, dev uint64, now time.Time, a *account) *Snapshot {
	s := &Snapshot{
		pages: make([]*Page, 2*(len(facts)/pageEntries+1)), seed: maphash.MakeSeed(), count: len(facts), account: a, dev: dev,
	}
	sizes, places := make([]int, len(s.pages)), make([]int32, len(facts))
	for i := range facts {
		f := &facts[i]
		n := s.page(f.name, f.isLink())
		places[i] = int32(n) //nolint:gosec // a small number
		sizes[n]++
		if f.unreported(now) {
			s.recheck = append(s.recheck, f.name)
		}
	}
	for i := range facts {
		p := &s.pages[places[i]]
		if *p == nil {
			*p = &Page{account: a, facts: make([]fact, 0, sizes[places[i]])}
		}
		(*p).facts = append((*p).facts, facts[i])
		(*p).memory += cost(&facts[i])
	}
	return s.held()
}

// held makes the snapshot a holder of its pages, for its first user.
func (s *Snapshot) held() *Snapshot {
	for _, p := range s.pages {
		if p != nil {
			p.holders.Add(1)
		}
	}
	return s.retain()
}

// retain adds a user.
func (s *Snapshot) retain() *Snapshot {
	s.users.Add(1)
	return s
}

// Release must be called when a user needs the snapshot no longer.
func (s *Snapshot) Release() {
	if s.users.Add(-1) > 0 {
		return
	}
	for _, p := range s.pages {
		if p != nil {
			p.release()
		}
	}
}

// page returns the index of the page for a name.
func (s *Snapshot) page(name string, link bool) int {
	n := 2 * int(maphash.String(s.seed, name)%uint64(len(s.pages)/2)) //nolint:gosec // a small number
	if link {
		n++
	}
	return n
}

// find returns the fact of a name, or nil.
func (s *Snapshot) find(name string) *fact {
	n := s.page(name, false)
	for _, p := range s.pages[n : n+2] {
		if p == nil {
			continue
		}
		for i := range p.facts {
			if p.facts[i].name == name {
				return &p.facts[i]
			}
		}
	}
	return nil
}

// names returns the names of the entries with one of these inodes.
func (s *Snapshot) names(inodes map[uint64]bool) (names []string) {
	for _, p := range s.pages {
		if p == nil {
			continue
		}
		for i := range p.facts {
			if inodes[p.facts[i].ino] {
				names = append(names, p.facts[i].name)
			}
		}
	}
	return names
}

// change is what has become of a name: fact, or nothing if that is nil.
type change struct {
	name string
	fact *fact
}

// update returns a snapshot with these changes, to its first user. recheck replaces the list of s. It returns nil if
// there is no memory for it.
func (s *Snapshot) update(changes []change, recheck []string) *Snapshot {
	next := &Snapshot{pages: append([]*Page(nil), s.pages...), seed: s.seed, count: s.count, recheck: recheck, account: s.account, dev: s.dev}
	for _, c := range changes {
		if old := next.find(c.name); old != nil {
			next.edit(s, s.page(c.name, old.isLink())).remove(c.name)
			next.count--
		}
		if c.fact != nil {
			p := next.edit(s, s.page(c.name, c.fact.isLink()))
			p.facts = append(p.facts, *c.fact)
			next.count++
		}
	}
	var taken int64
	for i, p := range next.pages {
		if p == s.pages[i] {
			continue
		}
		for j := range p.facts {
			p.memory += cost(&p.facts[j])
		}
		if !s.account.take(p.memory) {
			s.account.give(taken)
			return nil
		}
		taken += p.memory
	}
	return next.held()
}

// edit returns a page of next that may be changed, since before does not have it.
func (s *Snapshot) edit(before *Snapshot, n int) *Page {
	p := s.pages[n]
	if p != before.pages[n] {
		return p
	}
	fresh := &Page{account: s.account}
	if p != nil {
		fresh.facts = append(make([]fact, 0, len(p.facts)+1), p.facts...)
	}
	s.pages[n] = fresh
	return fresh
}

// remove removes a name from a page that no other snapshot has yet.
func (p *Page) remove(name string) {
	for i := range p.facts {
		if p.facts[i].name == name {
			last := len(p.facts) - 1
			p.facts[i] = p.facts[last]
			p.facts = p.facts[:last]
			return
		}
	}
}

// Reader reads the entries of a Snapshot. Only one goroutine may use it. The zero value has none.
type Reader struct {
	s           *Snapshot
	page, entry int
	links       bool // only links are left
	info        Info
}

// NewReader returns a Reader of all entries. It does not release the snapshot.
func NewReader(s *Snapshot) *Reader { return &Reader{s: s} }

// next returns the next fact, or nil.
func (r *Reader) next() *fact {
	for r.s != nil && r.page < len(r.s.pages) {
		p := r.s.pages[r.page]
		if p != nil && r.entry < len(p.facts) && (!r.links || r.page%2 == 1) {
			r.entry++
			return &p.facts[r.entry-1]
		}
		r.page++
		r.entry = 0
	}
	return nil
}

// Next describes the next entry, until the next call. It returns nil at the end.
func (r *Reader) Next() *Info {
	f := r.next()
	if f == nil {
		return nil
	}
	f.fill(&r.info)
	return &r.info
}

// NextName returns the name of the next entry.
func (r *Reader) NextName() (name string, ok bool) {
	f := r.next()
	if f == nil {
		return "", false
	}
	return f.base(), true
}

// NextPage returns the next page of entries that are not symbolic links, or nil after the last one; Next then returns
// the links. NextPage must not be called after Next or NextName, until it has returned nil.
func (r *Reader) NextPage() *Page {
	for r.s != nil && !r.links {
		if r.page >= len(r.s.pages) {
			r.page, r.entry, r.links = 0, 0, true
			return nil
		}
		p := r.s.pages[r.page]
		r.page += 2
		if p != nil && len(p.facts) > 0 {
			return p
		}
	}
	return nil
}
