package keyed

import (
	"container/list"
	"sync"
)

// Set is a set of digests of limited size. When it is full, it drops the digest that has not been used for the
// longest time. It is safe for concurrent use.
type Set struct {
	key *Key

	mu    sync.Mutex
	most  int
	known map[Digest]*list.Element // elements of used
	used  list.List                // of Digest, the least recently used one last
}

// NewSet returns an empty set with a key of its own. It holds at most so many digests; none if most is zero or
// negative.
func NewSet(most int) *Set {
	return &Set{key: NewKey(), most: most, known: map[Digest]*list.Element{}}
}

// Has reports whether the parts were added together, and marks them as used.
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

// Add adds the parts together as one digest.
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

// Len returns the number of digests in the set.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used.Len()
}
