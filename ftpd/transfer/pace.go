package transfer

import "time"

// mark is how far a transfer was at a time.
type mark struct {
	at    time.Time
	bytes int64
}

// pace remembers where a transfer was a second or two ago.
type pace struct{ older, newer mark }

// note takes a mark, once a second at most.
func (p *pace) note(m mark) {
	if m.at.Sub(p.newer.at) >= time.Second {
		p.older, p.newer = p.newer, m
	}
}

// rate is how fast the transfer, which began then, has been from the older mark to now.
func (p *pace) rate(now mark, began time.Time) int64 {
	from := p.older
	if from.at.IsZero() {
		from = mark{at: began}
	}
	return rateOf(now.bytes-from.bytes, now.at.Sub(from.at))
}

// rateOf is in bytes a second.
func rateOf(n int64, took time.Duration) int64 {
	if took <= 0 {
		return 0
	}
	return int64(float64(n) / took.Seconds())
}
