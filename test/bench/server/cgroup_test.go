package server

import "testing"

func TestPSS(t *testing.T) {
	t.Parallel()
	text := "55d8-7ffe ---p 00000000 00:00 0 [rollup]\nRss:                4404 kB\nPss:                1234 kB\nPss_Dirty:   77 kB\n"
	if got := pssOf([]byte(text)); got != 1234<<10 {
		t.Errorf("got %d", got)
	}
	if got := pssOf(nil); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}
