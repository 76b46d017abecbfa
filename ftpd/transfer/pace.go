package transfer

import "time"

// mark is the number of bytes that a transfer had moved at a time.
type mark struct {
	at    time.Time
	bytes int64
}

// pace remembers how far a transfer was one or two seconds ago.
type pace struct{ older, newer mark }

// note records a mark, once a second at most.
func (p *pace) note(m mark) {
	if m.at.Sub(p.newer.at) >= time.Second {
		p.older, p.newer = p.newer, m
	}
}

// rate returns the transfer's speed in bytes per second, from the older mark to now. began is the start of the
// transfer.
func (p *pace) rate(now mark, began time.Time) int64 {
	from := p.older
	if from.at.IsZero() {
		from = mark{at: began}
	}
	return rateOf(now.bytes-from.bytes, now.at.Sub(from.at))
}

// rateOf returns n bytes in the time took as bytes per second.
func rateOf(n int64, took time.Duration) int64 {
	if took <= 0 {
		return 0
	}
	return int64(float64(n) / took.Seconds())
}
