package ftpd

import (
	"testing"
	"time"
)

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
