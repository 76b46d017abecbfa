//go:build linux

package facts

import (
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// AddFunc adds an entry of a directory that is read. name ends with a zero byte; ino is the inode that the directory names,
// which differs from that in st if something is mounted on the entry.
type AddFunc func(name string, ino uint64, st *unix.Stat_t) error

// work is what has to be looked at before a snapshot is true again.
type work struct {
	dirty   map[string]bool
	unnamed map[uint64]bool
	now     time.Time
}

// take returns the snapshot of a directory and what has changed since. The snapshot is nil if the directory must be
// read anew. ok is false if the directory is not kept any more. The caller holds d.read.
func (c *Cache) take(d *directory) (s *Snapshot, w work, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if d.snapshot != nil && now.Sub(d.made) >= MaxAge {
		d.forget()
	}
	w = work{d.dirty, d.unnamed, now}
	d.dirty, d.unnamed = nil, nil
	if d.snapshot == nil {
		d.made, d.spoilt = now, false
	}
	if d.snapshot != nil {
		d.snapshot.retain()
	}
	return d.snapshot, w, !d.gone
}

// fill reads a directory, and keeps what it has read if no name changed meanwhile. The caller holds d.read.
func (c *Cache) fill(d *directory, read func(add AddFunc) error) *Snapshot {
	var all []fact
	var taken int64
	until := c.now().Add(c.patient)
	err := read(func(name string, ino uint64, st *unix.Stat_t) error {
		f := factOf(name, st, ino != st.Ino || uint64(st.Dev) != d.id.dev) //nolint:unconvert // of another type on other architectures
		switch {
		case taken+cost(&f) > c.account.most/2: // one directory does not take the room of all others
			return errTooLarge
		case len(all)%pageEntries == 0 && c.now().After(until):
			return errTooSlow
		}
		for !c.account.take(cost(&f)) {
			if !c.makeRoom(d) {
				return errTooLarge
			}
		}
		taken += cost(&f)
		all = append(all, f)
		return nil
	})
	if err != nil {
		c.account.give(taken)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.refuse(d, MaxAge)
		return nil
	}
	s := newSnapshot(all, d.id.dev, d.made, &c.account) // d.made changes only with d.read held
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learn()
	switch {
	case len(all) < c.least:
		c.refuse(d, MaxAge)
	case tooMany(len(s.recheck), len(all)):
		c.refuse(d, settled)
	case d.gone: // what was read is no worse than what a listing without a cache reads, but not to be kept
	case d.spoilt: // likewise. If that goes on, the sessions that wait to list it should not read it one after the other
		if d.vain++; d.vain > 1 {
			c.refuse(d, settled)
		}
	default:
		d.snapshot, d.vain = s.retain(), 0
	}
	return s
}

// refuse drops a directory, and does not try to keep it for some time. The caller holds mu.
func (c *Cache) refuse(d *directory, during time.Duration) {
	c.drop(d)
	c.remember(d.id.inode, listed{at: d.used, until: c.now().Add(during)})
}

// makeRoom drops a directory other than d.
func (c *Cache) makeRoom(d *directory) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropOne(d)
}

// refresh makes a snapshot true again: it looks at the entries that have changed, or may have. It releases s. It returns
// another snapshot, or s itself, or nil if it can't tell what is true. In the last case, again says whether the caller must read
// the directory anew. The caller holds d.read.
func (c *Cache) refresh(d *directory, dir uintptr, s *Snapshot, w work) (next *Snapshot, again bool) {
	next = s
	var unknown bool
	if len(w.dirty)+len(w.unnamed)+len(s.recheck) > 0 {
		next, unknown = c.renew(dir, s, w)
		s.Release()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if unknown {
		if d.snapshot == s {
			d.forget()
		}
		return nil, true
	}
	if next == nil {
		c.refuse(d, MaxAge)
		return nil, false
	}
	c.served++
	switch {
	case next == s:
	case d.snapshot != s: // it was dropped meanwhile; what was found is true nevertheless
	case tooMany(len(next.recheck), next.count):
		c.refuse(d, settled)
	default:
		s.Release()
		d.snapshot = next.retain()
	}
	return next, false
}

// renew returns a snapshot that is true now, for another user: s itself if nothing has changed. It returns nil if an entry
// can't be described, if that takes too long, or if there is no memory. unknown says that an event named an entry that does not
// exist and did not exist before, or one that has not changed. The name may be a former one: a program has opened a file by
// it, the file has another name now, and the program has written to it.
func (c *Cache) renew(dir uintptr, s *Snapshot, w work) (next *Snapshot, unknown bool) {
	names := slices.Clone(s.recheck)
	for name := range w.dirty {
		names = append(names, name)
	}
	if len(w.unnamed) > 0 {
		names = append(names, s.names(w.unnamed)...)
	}
	var changes []change
	var recheck []string
	until := c.now().Add(c.patient)
	seen := make(map[string]bool, len(names))
	linked := map[uint64]bool{}
	for len(names) > 0 {
		for _, name := range names {
			if seen[name] {
				continue
			}
			seen[name] = true
			old := s.find(name)
			now, errno := c.look(dir, name, old, s.dev)
			switch {
			case errno == unix.ENOENT && old != nil:
				changes = append(changes, change{name, nil})
			case errno == unix.ENOENT:
				return nil, true
			case errno != 0, c.now().After(until):
				return nil, false
			case old != nil && *old == now && w.dirty[name]:
				return nil, true
			default:
				if old == nil || *old != now {
					changes = append(changes, change{name, &now})
					if now.nlink != 1 {
						linked[now.ino] = true
					}
				}
				if now.unreported(w.now) {
					recheck = append(recheck, now.name)
				}
			}
		}
		// A file that has become one with several names may have the others here, of which no event tells.
		names = names[:0]
		if len(linked) > 0 {
			names = s.names(linked)
			clear(linked)
		}
	}
	if len(changes) == 0 && len(recheck) == len(s.recheck) {
		return s.retain(), false
	}
	return s.update(changes, recheck), false
}

// look describes an entry. old, unless nil, is what was known of it; dev is the device of the directory.
func (c *Cache) look(dir uintptr, name string, old *fact, dev uint64) (fact, syscall.Errno) {
	b := append(make([]byte, 0, 256), name...)
	var st unix.Stat_t
	if errno := c.stat(dir, &b[0], &st); errno != 0 {
		return fact{}, errno
	}
	covered := old != nil && old.covered || uint64(st.Dev) != dev //nolint:unconvert // of another type on other architectures
	return factOf(name, &st, covered), 0
}
