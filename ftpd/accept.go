package ftpd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// Serve takes control connections from l, which comes from Listen, until Shutdown or Close
// (ErrServerClosed) or until l fails. It closes l. It may be called for several listeners.
// The first call binds the passive ports.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, false) }

// ServeTLS is Serve for connections on which TLS begins at once (implicit FTPS).
func (s *Server) ServeTLS(l net.Listener) error { return s.serve(l, true) }

func (s *Server) serve(l net.Listener, implicit bool) error {
	if !s.track(l) {
		_ = l.Close()
		return ErrServerClosed
	}
	defer s.untrack(l)
	if err := s.start(); err != nil {
		return err
	}
	s.log.Info("serving", "address", l.Addr().String(), "implicit", implicit)
	var wait time.Duration
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			wait = 0
			s.admit(conn, implicit)
		case s.now() == phaseClosed:
			return ErrServerClosed
		case socket.IsTransient(err):
			// Out of descriptors or memory: wait for some to be given back, as net/http does.
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			s.log.Error("accept failed", "error", err, "retryIn", wait)
			select {
			case <-time.After(wait):
			case <-s.ctx.Done():
			}
		default:
			return fmt.Errorf("accept: %w", err)
		}
	}
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() == phaseClosed {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) untrack(l net.Listener) {
	_ = l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// admit takes a connection.
func (s *Server) admit(c net.Conn, implicit bool) {
	conn, ok := c.(*net.TCPConn)
	if !ok {
		s.log.Error("not a TCP connection", "type", fmt.Sprintf("%T", c))
		_ = c.Close()
		return
	}
	s.meet(conn, implicit)
}

// newSession prepares the session of a connection.
func (s *Server) newSession(conn *net.TCPConn, from origin, implicit bool) *session {
	sess := &session{
		srv:    s,
		id:     s.lastID.Add(1),
		conn:   socket.NewControl(conn, s.replyTimeout),
		peer:   from.peer,
		local:  from.local,
		proxy:  from.proxy,
		params: newParams(),
	}
	sess.implicit = implicit
	sess.held.Of = s.files.Load()
	sess.activity.connected = time.Now()
	sess.activity.since = sess.activity.connected
	sess.ctx, sess.end = context.WithCancelCause(context.Background())
	sess.present, sess.leave = context.WithCancel(sess.ctx)
	sess.log = s.sessionLog(sess)
	sess.out = wire.NewWriter(sess.conn, s.observer.Reply, func() { sess.end(transfer.ErrLost) })
	sess.in = wire.NewReader(sess.conn, sess.out.WriteRaw)
	sess.turn.L = &sess.mu
	sess.lastActive = time.Now()
	sess.loginBy = sess.lastActive.Add(s.settings.Load().cfg.Timeouts.Login.Std())
	return sess
}

// sessionLog is the logger of a session in which nobody is logged in.
func (s *Server) sessionLog(sess *session) *slog.Logger {
	log := s.log.With("session", sess.id, "peer", sess.peer.String())
	if sess.proxy.IsValid() {
		log = log.With("proxy", sess.proxy.String())
	}
	return log
}

// enroll counts the session; false if the server no longer takes any.
func (s *Server) enroll(c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() >= phaseRefusing {
		return false
	}
	s.sessions[c] = struct{}{}
	return true
}

func (s *Server) dismiss(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
	if s.now() >= phaseRefusing && len(s.sessions) == 0 {
		close(s.noSessions)
	}
}
