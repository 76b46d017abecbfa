package ftpd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// lameDuckStretch is the longest duration of the lame-duck phase, in multiples of drain.lameDuck.
const lameDuckStretch = 6

// awaitRouting waits until no user has logged in for the time quiet. A login shows that the network still routes new
// sessions to this server, because routing has not caught up yet or there is no other server. awaitRouting returns
// after lameDuckStretch times quiet in any case.
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

// cutTimeout is the time that Shutdown and Close wait for sessions that they have cut; they wait for it twice at
// most.
const cutTimeout = 5 * time.Second

// Shutdown ends the server without interrupting work. It makes the server unready at once. It accepts new sessions
// until no user has logged in for drain.lameDuck (see awaitRouting). Then it refuses new sessions with 421, ends
// sessions that have been idle for drain.idle, and waits for the others, whose further commands and transfers are
// still served. When drain.grace (counted from the call) is over or ctx is done, it cuts the remaining sessions and
// returns an error that says so. The listeners close last; only then does Serve return.
func (s *Server) Shutdown(ctx context.Context) error {
	cfg := s.settings.Load().cfg.Drain
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Grace.Std(), errGrace)
	defer cancel()
	if !s.advance(phaseLameDuck) {
		return ErrServerClosed
	}
	s.log.Info("draining", "lameDuck", lameDuck(cfg), "grace", cfg.Grace)
	s.awaitRouting(ctx, lameDuck(cfg))
	s.advance(phaseRefusing)
	s.recheckAll()
	var err error
	select {
	case <-s.noSessions:
	case <-s.ctx.Done():
	case <-ctx.Done():
		if n := s.cut(); n > 0 {
			err = fmt.Errorf("drain: sessions that had to be cut: %d: %w", n, context.Cause(ctx))
		}
	}
	return errors.Join(err, s.Close())
}

var errGrace = errors.New("drain.grace is over")

// Close ends the server at once: transfers are aborted with 426, sessions are ended with 421, and everything is
// closed. It waits for clients that do not read these replies, but only for a few seconds.
func (s *Server) Close() error {
	if !s.advance(phaseClosed) {
		return nil
	}
	s.startOnce.Do(func() { s.startErr = ErrServerClosed }) // or wait until a running start has returned
	s.mu.Lock()
	for l := range s.listeners {
		_ = l.Close()
	}
	s.mu.Unlock()
	s.cut()
	s.cancel()
	s.headers.Close()
	s.background.Wait()
	var err error
	if p := s.ports.Load(); p != nil {
		err = p.Close()
	}
	s.quota.Close()
	return errors.Join(err, s.storage.Close())
}

// cut ends all sessions, waits until they are gone, and returns how many there were.
func (s *Server) cut() int {
	s.advance(phaseRefusing)
	s.mu.Lock()
	n := len(s.sessions)
	for c := range s.sessions {
		c.end(transfer.ErrShutdown)
	}
	s.mu.Unlock()
	if s.await(cutTimeout) {
		return n
	}
	s.mu.Lock()
	for c := range s.sessions {
		_ = c.conn.Close() // the client does not read its reply
	}
	s.mu.Unlock()
	if !s.await(cutTimeout) {
		s.log.Error("sessions hang, probably in the storage; going on without them")
	}
	return n
}

// await waits until no session is left. It returns false if that takes longer than d.
func (s *Server) await(d time.Duration) bool {
	select {
	case <-s.noSessions:
		return true
	case <-time.After(d):
		return false
	}
}
