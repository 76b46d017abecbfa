package ftpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
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

// These errors say why a connection is refused. Their texts are sent to the client.
var (
	errBanned   = errors.New("your address is banned for a while")
	errDrain    = errors.New("the server is shutting down")
	errOutsider = errors.New("clients of your network are not allowed here")
)

// arrival is a control connection that has no session yet.
type arrival struct {
	srv      *Server
	conn     *net.TCPConn
	origin   proxy.Origin
	implicit bool
}

// identified admits or refuses the connection once its origin is known. err is not nil if the origin could not be
// determined.
func (a *arrival) identified(err error) {
	switch {
	case err == nil:
		err = a.admit()
	case errors.Is(err, io.EOF): // a health check or port scan that connected and left
		_ = a.conn.Close()
		return
	case !errors.Is(err, proxy.ErrUntrusted) && !errors.Is(err, proxy.ErrPending):
		a.srv.observer.Connection(observe.ConnectionProxy)
		a.srv.log.Warn("connection refused", "peer", a.origin.Peer.String(), "reason", err)
		_ = a.conn.Close() // without a reply, since it is not known who the client is
		return
	}
	if err != nil {
		a.refuse(err)
	}
}

// admit starts a session for the connection, or returns why the connection is refused. Clients that are banned or not
// allowed are refused before anything is allocated, and the session is made last.
func (a *arrival) admit() error {
	s, addr := a.srv, a.origin.Peer.Addr()
	current, files := s.settings.Load(), s.files.Load()
	cfg := current.cfg
	if len(cfg.AllowedNetworks) > 0 && !config.InNetworks(cfg.AllowedNetworks, addr) {
		return errOutsider
	}
	if _, banned := s.bans.Banned(bans.Address(addr)); banned && !cfg.AddressesHidden() {
		return errBanned
	}
	if reason := s.notReady(); reason != "" {
		return errors.New(reason)
	}
	ctx, end := context.WithCancelCause(context.Background())
	lease, err := a.lease(cfg, files, func() { end(errCrowded) })
	if err != nil {
		end(err)
		return err
	}
	sess := a.session(ctx, end, lease, current)
	sess.held.Of = files
	sess.alarm = sess.loginBy
	sess.timer = time.AfterFunc(cfg.Timeouts.Login.Std(), func() { sess.guard(sess.onTimer) })
	if !s.register(sess) {
		sess.timer.Stop()
		end(errDrain)
		files.Give(budget.SessionDescriptors)
		lease.Release()
		return errDrain
	}
	s.observer.Connection(observe.ConnectionTaken)
	go sess.run()
	return nil
}

// lease takes a place among the sessions, and the descriptors of one session from files. evict is called if the session has to
// give its place to a newer one.
func (a *arrival) lease(cfg *config.Config, files *budget.DescriptorPool, evict func()) (*limits.Lease, error) {
	s := a.srv
	bounds := s.limits(cfg)
	lease, err := s.counter.Connect(a.origin.Peer.Addr(), cfg.AddressesHidden(), &bounds, evict)
	if err == nil {
		if err = s.takeSession(files); err != nil {
			lease.Release()
		}
	}
	switch {
	case errors.Is(err, limits.ErrServerFull) && bounds.MaxSessions != cfg.Limits.MaxSessions:
		err = s.scarce(cfg)
	case errors.Is(err, limits.ErrAddressFull) && !cfg.AddressesHidden():
		if ban, begun := s.bans.Report(bans.Address(a.origin.Peer.Addr()), bans.Refused); begun {
			s.logBan(logFrom(s.log, a.origin), ban, false)
		}
	}
	return lease, err
}

// refuse sends the client a 421 with the reason and closes the connection. With implicit TLS it sends nothing,
// because a reply would need a handshake first. The reply fits the socket's buffer, so the write does not block the
// accept loop.
func (a *arrival) refuse(reason error) {
	a.srv.observer.Connection(connectionResult(reason))
	log := a.srv.log.Info
	if errors.Is(reason, errBanned) {
		log = a.srv.log.Debug // logged when the ban began
	}
	log("connection refused", "peer", a.origin.Peer.String(), "reason", reason)
	if !a.implicit {
		_ = a.conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(a.conn, "421 Service not available: "+wire.OneLine(reason.Error())+"; try again later.\r\n")
	}
	_ = a.conn.Close()
}

// refusals maps the reasons for refusing a connection to metrics. Every other reason is ConnectionNotReady.
var refusals = []struct {
	reason error
	result observe.ConnectionResult
}{
	{errBanned, observe.ConnectionBanned},
	{limits.ErrServerFull, observe.ConnectionServerFull},
	{limits.ErrAddressFull, observe.ConnectionAddressFull},
	{limits.ErrPreLoginFull, observe.ConnectionPreLoginFull},
	{errNoMemory, observe.ConnectionNoResources},
	{budget.ErrNoDescriptors, observe.ConnectionNoResources},
	{errOutsider, observe.ConnectionOutsider},
	{proxy.ErrUntrusted, observe.ConnectionProxy},
	{proxy.ErrPending, observe.ConnectionProxy},
}

func connectionResult(reason error) observe.ConnectionResult {
	for _, r := range refusals {
		if errors.Is(reason, r.reason) {
			return r.result
		}
	}
	return observe.ConnectionNotReady
}

// logFrom returns a logger for a connection of that origin, or for a session in which no user is logged in.
func logFrom(log *slog.Logger, from proxy.Origin) *slog.Logger {
	log = log.With("peer", from.Peer.String())
	if from.Proxy.IsValid() {
		log = log.With("proxy", from.Proxy.String())
	}
	return log
}

// session makes the session of a connection that the current settings have admitted.
func (a *arrival) session(ctx context.Context, end context.CancelCauseFunc, lease *limits.Lease, current *settings) *session {
	s := a.srv
	sess := &session{
		srv: s, id: s.lastID.Add(1), conn: socket.NewControl(a.conn, s.replyTimeout), origin: a.origin,
		ctx: ctx, end: end, lease: lease, current: current, params: newParams(),
	}
	sess.implicit = a.implicit
	sess.activity.connected = time.Now()
	sess.activity.since = sess.activity.connected
	sess.present, sess.leave = context.WithCancel(sess.ctx)
	sess.log = s.sessionLog(sess)
	sess.out = wire.NewWriter(sess.conn, s.observer.Reply, func() { sess.end(transfer.ErrLost) })
	sess.in = wire.NewReader(sess.conn, sess.out.WriteRaw)
	sess.turn.L = &sess.mu
	sess.lastActive = time.Now()
	sess.loginBy = sess.lastActive.Add(current.cfg.Timeouts.Login.Std())
	return sess
}

// sessionLog returns the logger of a session in which no user is logged in.
func (s *Server) sessionLog(sess *session) *slog.Logger {
	return logFrom(s.log.With("session", sess.id), sess.origin)
}

// register adds a session to the open sessions. It returns false if the server no longer accepts sessions.
func (s *Server) register(c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() >= phaseRefusing {
		return false
	}
	s.sessions[c] = struct{}{}
	return true
}

// unregister removes a session from the open sessions, and signals Shutdown when the last one has gone.
func (s *Server) unregister(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
	if s.now() >= phaseRefusing && len(s.sessions) == 0 {
		close(s.noSessions)
	}
}
