package ftpd

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// As long as clients log in, routing has not caught up: each login must extend the lame-duck phase, but not for ever.
func TestLameDuckStretches(t *testing.T) {
	const quiet = 5 * time.Second
	for name, c := range map[string]struct {
		logins []time.Duration // times since the server became unready
		every  time.Duration   // and then one at each interval
		quiet  time.Duration
		want   time.Duration
	}{
		"nobody":                   {nil, 0, quiet, quiet},
		"none asked for":           {nil, time.Second, 0, 0},
		"one":                      {[]time.Duration{2 * time.Second}, 0, quiet, 7 * time.Second},
		"two":                      {[]time.Duration{2 * time.Second, 6 * time.Second}, 0, quiet, 11 * time.Second},
		"one that comes too late":  {[]time.Duration{5*time.Second + 1}, 0, quiet, quiet},
		"one a second, for ever":   {nil, time.Second, quiet, lameDuckStretch * quiet},
		"one before it all":        {[]time.Duration{-time.Hour}, 0, quiet, quiet},
		"at the last moment, once": {[]time.Duration{5*time.Second - 1}, 0, quiet, 10*time.Second - 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{ctx: t.Context()}
				began := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				login := func(after time.Duration) {
					select {
					case <-time.After(after - time.Since(began)):
						now := began.Add(after)
						s.lastLogin.Store(&now)
					case <-ctx.Done():
					}
				}
				go func() {
					for _, after := range c.logins {
						login(after)
					}
					for i := 1; c.every > 0 && ctx.Err() == nil; i++ {
						login(time.Duration(i) * c.every)
					}
				}()
				synctest.Wait()
				s.awaitRouting(ctx, c.quiet)
				if got := time.Since(began); got != c.want {
					t.Errorf("it took %v, want %v", got, c.want)
				}
				cancel()
			})
		})
	}
}

// The end of the grace period, or of the server, must end the lame-duck phase.
func TestLameDuckEnds(t *testing.T) {
	for _, which := range []string{"grace", "server"} {
		synctest.Test(t, func(t *testing.T) {
			over, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			s, ctx := &Server{ctx: t.Context()}, over
			if which == "server" {
				s.ctx, ctx = over, t.Context()
			}
			began := time.Now()
			s.awaitRouting(ctx, time.Minute)
			if got := time.Since(began); got != time.Second {
				t.Errorf("%s: it took %v", which, got)
			}
		})
	}
}
