package ftpd

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// UnusedReservation is why a reservation of a passive port ended without a data connection. Such a client was
// most likely told an address or a port that it can't reach.
type UnusedReservation int

// The reasons.
const (
	// UnusedExpired: none came in time.
	UnusedExpired UnusedReservation = iota
	// UnusedReplaced: the client sent another PASV, EPSV, PORT or EPRT.
	UnusedReplaced
	// UnusedAborted: the client sent ABOR.
	UnusedAborted
	// UnusedSessionEnded: the session ended, or its login by REIN or AUTH.
	UnusedSessionEnded
	// UnusedReservations is how many there are.
	UnusedReservations

	// refusedCommand: the command that would have used it was refused, so that the client had no reason to
	// connect. This is not counted.
	refusedCommand UnusedReservation = -1
)

// String is the reason as metrics and the log name it.
func (u UnusedReservation) String() string {
	return [...]string{"expired", "replaced", "aborted", "session_ended"}[u]
}

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
func (l *unusedLog) write(log *slog.Logger, told string, why UnusedReservation) {
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
func (s *session) unused(c connector, why UnusedReservation) {
	p, passive := c.(passiveConnector)
	if !passive || p.Came() {
		return
	}
	if p.Expired() {
		why = UnusedExpired
	}
	if why == refusedCommand {
		return
	}
	s.srv.observer.Unused(why)
	s.srv.unused.write(s.log, p.told, why)
}

// unusedBy is why a transfer's reservation was not used.
func unusedBy(err error) UnusedReservation {
	if errors.Is(err, errAborted) {
		return UnusedAborted
	}
	return UnusedSessionEnded
}
