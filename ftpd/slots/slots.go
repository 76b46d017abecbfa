// Package slots has the one semaphore for what is done at once or not at all: TryEnter takes a slot or reports that none
// is free, and never waits. Where callers wait for a place, user by user, package fair is the one to use. The package
// imports nothing else of this module.
package slots

import "sync/atomic"

// Slots are a number of slots. Its methods may be called by any goroutine.
type Slots struct {
	size, taken atomic.Int64
}

// New returns so many slots, all free.
func New(size int) *Slots {
	s := &Slots{}
	s.Resize(size)
	return s
}

// Resize changes the number of slots. Those that are taken stay taken.
func (s *Slots) Resize(size int) { s.size.Store(int64(size)) }

// TryEnter takes a slot. It returns false if none is free.
func (s *Slots) TryEnter() bool {
	if s.taken.Add(1) > s.size.Load() {
		s.taken.Add(-1)
		return false
	}
	return true
}

// Leave gives a slot back that TryEnter has taken.
func (s *Slots) Leave() { s.taken.Add(-1) }

// Taken returns the number of slots that are taken.
func (s *Slots) Taken() int { return int(s.taken.Load()) }
