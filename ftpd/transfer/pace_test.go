package transfer

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	began := time.Unix(100, 0)
	at := func(seconds float64, bytes int64) mark {
		return mark{began.Add(time.Duration(seconds * float64(time.Second))), bytes}
	}
	var p pace
	if got := p.rate(at(2, 1000), began); got != 500 {
		t.Errorf("before any mark %d, want the average", got)
	}
	// A hundred octets per second, then a thousand, then nothing.
	for i := range 50 {
		p.note(at(float64(i)/10, int64(10*i)))
	}
	if got := p.rate(at(5, 500), began); got != 100 {
		t.Errorf("steady: %d", got)
	}
	for i := range 30 {
		p.note(at(5+float64(i)/10, int64(500+100*i)))
	}
	if got := p.rate(at(8, 3500), began); got != 1000 {
		t.Errorf("faster: %d", got)
	}
	if got := p.rate(at(60, 3500), began); got > 60 {
		t.Errorf("it stands still: %d", got)
	}
}

func TestRateOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    int64
		took time.Duration
		want int64
	}{{0, 0, 0}, {10, 0, 0}, {10, -1, 0}, {3 << 30, 3 * time.Second, 1 << 30}, {1, time.Minute, 0}} {
		if got := rateOf(c.n, c.took); got != c.want {
			t.Errorf("%d in %v: %d, want %d", c.n, c.took, got, c.want)
		}
	}
}
