package ftpd

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// refusedCommand: the command that would have used the reservation was refused, so the client had no reason to
// connect. This is not counted.
const refusedCommand observe.UnusedReservation = -1

// Unused reservations are logged one a second, after a burst.
const (
	unusedEvery = time.Second
	unusedBurst = 20
)

// unusedLog bounds the lines about unused reservations: clients behind a firewall make them at any rate.
type unusedLog struct {
	limiter *rate.Limiter

	mu      sync.Mutex
	omitted int
}

func newUnusedLog() *unusedLog {
	return &unusedLog{limiter: rate.NewLimiter(rate.Every(unusedEvery), unusedBurst)}
}

// write logs what a client was told, unless too many lines were written of late.
func (l *unusedLog) write(log *slog.Logger, told string, why observe.UnusedReservation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.limiter.Allow() {
		l.omitted++
		return
	}
	attrs := []any{slog.String("why", why.String())}
	if l.omitted > 0 {
		attrs = append(attrs, slog.Int("omitted", l.omitted))
	}
	l.omitted = 0
	log.Info(fmt.Sprintf("told %s, nobody came", told), attrs...) //nolint:sloglint // the sentence is what people search for
}

// unused counts and logs a reservation for which no data connection came. It must have been released.
func (s *session) unused(c transfer.Connector, why observe.UnusedReservation) {
	p, passive := c.(transfer.Passive)
	if !passive || p.Came() {
		return
	}
	if p.Expired() {
		why = observe.UnusedExpired
	}
	if why == refusedCommand {
		return
	}
	s.srv.observer.Unused(why)
	s.srv.unused.write(s.log, p.Told, why)
}

// unusedBy is why a transfer's reservation was not used.
func unusedBy(err error) observe.UnusedReservation {
	if errors.Is(err, transfer.ErrAborted) {
		return observe.UnusedAborted
	}
	return observe.UnusedSessionEnded
}
