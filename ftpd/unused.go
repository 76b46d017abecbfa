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

// refusedCommand means that the command that would have used the reservation was refused. The client had no reason to
// connect, so this is not counted.
const refusedCommand observe.UnusedReservation = -1

// Unused reservations are logged once per second, after a burst of unusedBurst lines.
const (
	unusedEvery = time.Second
	unusedBurst = 20
)

// unusedLog limits the log lines about unused reservations, which clients behind a firewall cause at any rate.
type unusedLog struct {
	limiter *rate.Limiter

	mu      sync.Mutex
	omitted int
}

func newUnusedLog() *unusedLog {
	return &unusedLog{limiter: rate.NewLimiter(rate.Every(unusedEvery), unusedBurst)}
}

// write logs what a client was told (an address or port) and why no connection came, unless the rate limit is
// exceeded.
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

// unused counts and logs a reservation for which no data connection came. The reservation must have been released.
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

// unusedBy returns why the reservation of a transfer was not used, from the cause of the transfer's abort.
func unusedBy(err error) observe.UnusedReservation {
	if errors.Is(err, transfer.ErrAborted) {
		return observe.UnusedAborted
	}
	return observe.UnusedSessionEnded
}
