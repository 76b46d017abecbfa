package ftpd

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/ftp-operator/ftp-operator/ftpd/safelog"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// A panic in the goroutines of a session ends that session, and nobody else's: a transfer that panics
// fails like one whose disk fails, so that everything it held is given back, and the client gets 421.
// A panic elsewhere - where connections are accepted, configurations loaded, leftovers swept - ends the
// process: what all sessions share can't be trusted any more.

// panicked notes a panic. It is called while the panic's stack is still there.
func (s *Server) panicked(log *slog.Logger, value any) {
	s.observer.Panicked()
	log.Error("panic: the session ends", "panic", fmt.Sprint(value), "stack", safelog.Stack(debug.Stack()))
}

// contain runs f. If that panics, it is noted, and ErrPanicked returned.
func (s *session) contain(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			// Not s.log, which the session's own goroutine may be changing.
			s.srv.panicked(s.srv.sessionLog(s), value)
			err = transfer.ErrPanicked
		}
	}()
	return f()
}

// guard runs what is done for a session by a goroutine that does not read its commands. If that
// panics, the reader ends the session.
func (s *session) guard(f func()) {
	if s.contain(func() error { f(); return nil }) != nil {
		s.fail()
		s.awaken()
	}
}

// fail makes a session that has panicked say goodbye.
func (s *session) fail() {
	_ = s.contain(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t := s.takeToRun(); t != nil {
			t.Abort(transfer.ErrPanicked) // no other goroutine will run it
			t.Run()
		}
		if !s.closed() {
			s.reply(421, transfer.TextPanicked)
		}
		s.closeIntake()
		return nil
	})
}

// awaken makes the reader of a session that is closing see it.
func (s *session) awaken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeIntake()
	s.timer.Stop()
	_ = s.conn.SetReadDeadline(past)
	s.turn.Signal()
}
