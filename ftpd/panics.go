package ftpd

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/ftp-operator/ftp-operator/ftpd/safelog"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// A panic in a goroutine of a session ends that session only. A transfer that panics is handled like one whose disk
// fails: everything it held is given back, and the client gets 421. A panic anywhere else - where connections are
// accepted, configurations loaded or leftovers swept - ends the process, because the state that all sessions share
// can no longer be trusted.

// panicked counts and logs a panic. It must be called while the stack of the panic still exists.
func (s *Server) panicked(log *slog.Logger, value any) {
	s.observer.Panicked()
	log.Error("panic: the session ends", "panic", fmt.Sprint(value), "stack", safelog.Stack(debug.Stack()))
}

// contain runs f. If f panics, contain logs the panic and returns ErrPanicked.
func (s *session) contain(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			// s.log is not used here, because the session's own goroutine may be changing it.
			s.srv.panicked(s.srv.sessionLog(s), value)
			err = transfer.ErrPanicked
		}
	}()
	return f()
}

// guard runs f, which works for a session in a goroutine that is not the session's reader. If f panics, the reader
// ends the session.
func (s *session) guard(f func()) {
	if s.contain(func() error { f(); return nil }) != nil {
		s.fail()
		s.awaken()
	}
}

// fail sends 421 to the client of a session that has panicked, and ends the session.
func (s *session) fail() {
	_ = s.contain(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t := s.takeToRun(); t != nil {
			t.Abort(transfer.ErrPanicked) // no other goroutine will run it
			t.Run()
		}
		if !s.closed() {
			s.refuse(errPanicked)
		}
		return nil
	})
}

// awaken ends the session's reader: it closes the session and makes a pending read fail.
func (s *session) awaken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeIntake()
	s.timer.Stop()
	_ = s.conn.SetReadDeadline(past)
	s.turn.Signal()
}
