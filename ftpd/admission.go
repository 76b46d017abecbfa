package ftpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/limits"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// origin is where a control connection comes from.
type origin struct {
	peer  netip.AddrPort // the client
	local netip.AddrPort // what the client has connected to
	proxy netip.AddrPort // that has told of the two; invalid if the client connected by itself
}

// Why a connection is refused, or a session ended, as the client is told.
var (
	errBanned = errors.New("your address is banned for a while")

	errDrain    = errors.New("the server is shutting down")
	errOutsider = errors.New("clients of your network are not allowed here")
	errPending  = errors.New("too many connections at this moment")
)

// meet finds out who a connection is from, and begins a session. It does not wait for what a
// proxy has to say.
func (s *Server) meet(conn *net.TCPConn, implicit bool) {
	from := origin{peer: socket.AddrPort(conn.RemoteAddr()), local: socket.AddrPort(conn.LocalAddr())}
	expects, err := s.settings.Load().proxy.Expects(from.peer.Addr())
	switch {
	case err != nil:
		s.refuseConn(conn, from, implicit, err)
	case !expects:
		s.welcome(conn, from, implicit)
	case !s.headers.Go(conn, func(h proxy.Header, err error) { s.introduce(conn, from, h, err, implicit) }):
		s.refuseConn(conn, from, implicit, errPending)
	}
}

// introduce goes on with a connection whose proxy has said what it had to say.
func (s *Server) introduce(conn *net.TCPConn, from origin, h proxy.Header, err error, implicit bool) {
	switch {
	case errors.Is(err, io.EOF): // it only asked whether the port is open
		_ = conn.Close()
		return
	case err != nil:
		s.observer.Connection(observe.ConnectionProxy)
		s.log.Warn("connection refused", "peer", from.peer.String(), "reason", err)
		_ = conn.Close() // to whom should it be said?
		return
	case !h.Local: // else it is the proxy's own
		from = origin{peer: h.Source, local: h.Destination, proxy: from.peer}
	}
	s.welcome(conn, from, implicit)
}

// welcome begins a session, or says why not. Who is not allowed or banned costs next to nothing.
func (s *Server) welcome(conn *net.TCPConn, from origin, implicit bool) {
	cfg := s.settings.Load().cfg
	if len(cfg.AllowedNetworks) > 0 && !config.InNetworks(cfg.AllowedNetworks, from.peer.Addr()) {
		s.refuseConn(conn, from, implicit, errOutsider)
		return
	}
	who := bans.Address(from.peer.Addr())
	if _, banned := s.bans.Banned(who); banned && !cfg.AddressesHidden() {
		s.refuseConn(conn, from, implicit, errBanned)
		return
	}
	if reason := s.notReady(); reason != "" {
		s.refuseConn(conn, from, implicit, errors.New(reason))
		return
	}
	sess := s.newSession(conn, from, implicit)
	bounds := s.limits(cfg)
	lease, err := s.counter.Connect(from.peer.Addr(), cfg.AddressesHidden(), &bounds, func() { sess.end(errCrowded) })
	if err == nil {
		if err = s.takeSession(sess.held.Of); err != nil {
			lease.Release()
		}
	}
	if errors.Is(err, limits.ErrServerFull) && bounds.MaxSessions != cfg.Limits.MaxSessions {
		err = s.scarce(cfg)
	}
	if err != nil {
		if errors.Is(err, limits.ErrAddressFull) {
			sess.misdeed(bans.Refused)
		}
		sess.end(err)
		s.refuseConn(conn, from, implicit, err)
		return
	}
	sess.lease = lease
	sess.timer = time.AfterFunc(cfg.Timeouts.Login.Std(), func() { sess.guard(sess.tick) })
	if !s.enroll(sess) {
		sess.timer.Stop()
		sess.end(errDrain)
		sess.held.Of.Give(budget.SessionDescriptors)
		lease.Release()
		s.refuseConn(conn, from, implicit, errDrain)
		return
	}
	s.observer.Connection(observe.ConnectionTaken)
	go sess.run()
}

// refuseConn says why there is no session, unless the client expects TLS, in which it can't be
// said without a handshake. The reply fits the socket's buffer, so this blocks nobody.
func (s *Server) refuseConn(conn *net.TCPConn, from origin, implicit bool, reason error) {
	s.observer.Connection(refusal(reason))
	log := s.log.Info
	if errors.Is(reason, errBanned) {
		log = s.log.Debug // it was logged when the ban began
	}
	log("connection refused", "peer", from.peer.String(), "reason", reason)
	if !implicit {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(conn, "421 Service not available: "+wire.OneLine(reason.Error())+"; try again later.\r\n")
	}
	_ = conn.Close()
}

// refusal sorts the reason for which a connection is refused.
func refusal(reason error) observe.ConnectionResult {
	switch {
	case errors.Is(reason, errBanned):
		return observe.ConnectionBanned
	case errors.Is(reason, limits.ErrServerFull):
		return observe.ConnectionServerFull
	case errors.Is(reason, limits.ErrAddressFull):
		return observe.ConnectionAddressFull
	case errors.Is(reason, limits.ErrPreLoginFull):
		return observe.ConnectionPreLoginFull
	case errors.Is(reason, errNoMemory), errors.Is(reason, budget.ErrNoDescriptors):
		return observe.ConnectionNoResources
	case errors.Is(reason, errOutsider):
		return observe.ConnectionOutsider
	case errors.Is(reason, proxy.ErrUntrusted), errors.Is(reason, errPending):
		return observe.ConnectionProxy
	default:
		return observe.ConnectionNotReady
	}
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
