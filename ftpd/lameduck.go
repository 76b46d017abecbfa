package ftpd

import (
	"context"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// lameDuckStretch bounds the lame duck, in multiples of what is configured.
const lameDuckStretch = 6

// awaitRouting waits until new sessions are no longer led here: until nobody has logged in for that
// long. Whoever still does shows that routing has not caught up yet, or has nowhere else to go. It
// ends after lameDuckStretch times as long in any case.
func (s *Server) awaitRouting(ctx context.Context, quiet time.Duration) {
	began := time.Now()
	last := began
	for {
		until := last.Add(quiet)
		if latest := began.Add(lameDuckStretch * quiet); until.After(latest) {
			until = latest
		}
		wait := time.Until(until)
		if wait <= 0 {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		case <-s.ctx.Done():
			return
		}
		if login := s.lastLogin.Load(); login != nil && login.After(last) {
			last = *login
		}
	}
}

func lameDuck(d config.Drain) time.Duration {
	if d.LameDuck == nil {
		return config.DefaultLameDuck
	}
	return d.LameDuck.Std()
}
