package bans

import "time"

// parts is the number of parts of the window. The window consists of the current part and those before it, so an
// event counts for at least 7/8 of the window and never longer than the window.
const parts = 8

// score adds up weights over a sliding window, in constant space.
type score struct {
	counts [parts]uint32
	newest int64 // the number of the latest part of time that was counted in
}

// add adds a weight and returns the sum over the window. now is the time since a fixed moment; it must not be derived
// from the time of day, which changes when the clock is set.
func (s *score) add(now, window time.Duration, weight uint32) uint32 {
	at := int64(now) / max(int64(window)/parts, 1)
	switch passed := at - s.newest; {
	case passed >= parts, passed <= -parts: // nothing was counted for a whole window, or the window was changed
		s.counts, s.newest = [parts]uint32{}, at
	case passed > 0:
		for ; s.newest < at; s.newest++ {
			s.counts[index(s.newest+1)] = 0
		}
	}
	s.counts[index(s.newest)] += weight
	sum := uint32(0)
	for _, n := range s.counts {
		sum += n
	}
	return sum
}

func index(part int64) int { return int((part%parts + parts) % parts) }
