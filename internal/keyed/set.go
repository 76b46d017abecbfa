package keyed

import (
	"container/list"
	"sync"
)

// Set is a bounded set of digests, of which the least recently used goes first. It is safe for
// concurrent use.
type Set struct {
	key *Key

	mu    sync.Mutex
	most  int
	known map[Digest]*list.Element // in used
	used  list.List                // of digests, least recently used last
}

// NewSet returns an empty set, with a key of its own, that holds at most so many; with zero or
// less it holds nothing.
func NewSet(most int) *Set {
	return &Set{key: NewKey(), most: most, known: map[Digest]*list.Element{}}
}

// Has reports whether the parts were added, and counts as a use of them.
func (s *Set) Has(parts ...string) bool {
	d := s.key.Digest(parts...)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.known[d]
	if found {
		s.used.MoveToFront(e)
	}
	return found
}

// Add adds the parts, as one thing.
func (s *Set) Add(parts ...string) {
	d := s.key.Digest(parts...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, found := s.known[d]; found {
		s.used.MoveToFront(e)
		return
	}
	if s.most <= 0 {
		return
	}
	s.known[d] = s.used.PushFront(d)
	if s.used.Len() > s.most {
		delete(s.known, s.used.Remove(s.used.Back()).(Digest))
	}
}

// Len is how many it holds.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used.Len()
}
