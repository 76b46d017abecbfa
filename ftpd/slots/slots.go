// Package slots provides a semaphore for work that is done at once or not at all: TryEnter takes a slot or reports
// that none is free, and never waits. Use package fair where callers wait for a place, user by user. Start reading at
// Slots. The package imports nothing else of this module.
package slots

import "sync/atomic"

// Slots is a number of slots. It is safe for concurrent use.
type Slots struct {
	size, taken atomic.Int64
}

// New returns Slots with size slots, all of them free.
func New(size int) *Slots {
	s := &Slots{}
	s.Resize(size)
	return s
}

// Resize changes the number of slots. Slots that are taken stay taken, even if that is more than size.
func (s *Slots) Resize(size int) { s.size.Store(int64(size)) }

// TryEnter takes a slot. It returns false if none is free.
func (s *Slots) TryEnter() bool {
	if s.taken.Add(1) > s.size.Load() {
		s.taken.Add(-1)
		return false
	}
	return true
}

// Leave gives back a slot that TryEnter has taken.
func (s *Slots) Leave() { s.taken.Add(-1) }

// Taken returns the number of slots that are taken.
func (s *Slots) Taken() int { return int(s.taken.Load()) }
