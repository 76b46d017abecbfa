package ftpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/bandwidth"
	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/checksum"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/limits"
	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// session is one control connection. See schedule.go for the goroutines that work on it.
type session struct {
	// These fields never change once the session is made.
	srv    *Server
	id     uint64 // the number of the session in the log
	conn   *socket.Control
	origin proxy.Origin  // where the control connection comes from
	lease  *limits.Lease // the session's place among all sessions
	in     *wire.Reader  // read by one goroutine at a time; see pipeline.reading
	out    *wire.Writer  // has a lock of its own
	// ctx is cancelled when the session is to end now; its cause says why. end cancels it.
	ctx context.Context
	end context.CancelCauseFunc
	// present is a child of ctx that is also cancelled when the client closes the control connection. leave cancels it.
	present context.Context
	leave   context.CancelFunc
	timer   *time.Timer // calls onTimer
	// stopCut unregisters the AfterFunc that ends the session when ctx is cancelled. It is nil until the client is greeted.
	stopCut func() bool

	// nudged: the settings or the phase of the server have changed since onTimer ran last. Any goroutine may set it.
	nudged atomic.Bool
	// activity is what others may see of the session. It has a lock of its own.
	activity activity

	// pipeline's mu guards it and all fields below. Commands execute with it held.
	pipeline

	log        *slog.Logger  // names the user while one is logged in
	current    *settings     // the settings for the command that is being executed
	user       string        // the name from USER, until PASS comes
	login      *login        // nil: no user is logged in
	failures   int           // number of failed logins
	loginBy    time.Time     // time at which the session is ended if no user is logged in
	lastActive time.Time     // time at which the last command or transfer ended
	alarm      time.Time     // time for which the timer is set; zero: it is not
	names      wire.Names    // encodes names of files as the client does
	peer       transfer.Peer // what transfers know about the client

	params // the parameters that REIN resets
	tlsState
	offences

	held        budget.Held        // descriptors for the next transfer
	heldForData int                // number of those for its data connection
	stopDrain   context.CancelFunc // ends drain; nil if nothing is drained
}

// login is the user that is logged in.
type login struct {
	auth.Identity
	settings *settings  // the settings that the identity was last compared with
	fs       storage.FS // the user's view of the home directory
	rates    *bandwidth.Session
	since    time.Time
}

// params holds the parameters of a session. newParams returns the defaults of RFC 959.
type params struct {
	cwd        string
	ascii      bool               // TYPE A; else I
	record     bool               // STRU R, which is treated like F
	coding     transfer.Coding    // MODE and its options
	restart    int64              // REST, for the next transfer
	part       *wire.ByteRange    // RANG, for the next download or checksum
	hash       checksum.Algorithm // OPTS HASH
	allocate   int64              // ALLO, for the next transfer; 0 if not given
	renameFrom string             // RNFR, for RNTO if that comes next
	epsvAll    bool               // EPSV ALL came
	data       transfer.Connector // where the next data connection comes from; nil: not agreed yet
	facts      listing.FactSet    // OPTS MLST
	pbsz       bool               // PBSZ came, or is not needed
	private    bool               // PROT P: data connections carry TLS
	host       string             // HOST
}

func newParams() params {
	return params{cwd: "/", ascii: true, facts: listing.AllFacts, coding: transfer.Coding{Level: transfer.DefaultLevel}, hash: checksum.Default}
}

// handle executes a command line, or queues it while a transfer runs. ABOR overtakes the queue: it concerns the
// running transfer and may be the only way to end it. The caller holds the lock.
func (s *session) handle(l wire.Line) {
	verb, arg := wire.ParseCommand(l.Text)
	c := commands[verb]
	if s.transfer != nil && !l.Last() {
		now := l.Err == nil && c != nil && c.during != nil && c.during(arg) && (len(s.queue) == 0 || verb == "ABOR")
		if !now {
			s.enqueue(l, verb, s.tls != nil)
			return
		}
	}
	switch {
	case l.Last():
		s.hangUp(l.Err)
	case l.Err != nil:
		s.reply(500, "Command line too long: at most 4096 bytes.")
		if s.login == nil {
			s.refuseIf(s.reportOrExpel(bans.LongLine))
		}
	case l.Late:
		s.reply(503, verb+" came while a transfer ran: send it again now.")
	default:
		s.execute(c, verb, arg)
	}
	s.lastActive = time.Now()
	s.activity.end(s.lastActive)
}

// hangUp ends the session after the control connection was lost or closed. A running transfer is aborted (RFC 959
// section 2.3), because an upload whose client died must not look complete. But if the client sent QUIT before it
// closed its side, the transfer and the queued commands are completed first.
func (s *session) hangUp(err error) {
	orderly := errors.Is(err, io.EOF) || errors.Is(err, ftptls.ErrTruncated) // a truncated TLS close is as good as a clean one here: nothing more was expected
	if s.transfer != nil && orderly && s.in.Quit.Load() {
		s.intake = intakeEnded
		return
	}
	if s.transfer != nil {
		s.transfer.Abort(transfer.ErrLost)
		s.settle(s.transfer.Wait())
	}
	if !orderly {
		s.log.Debug("control connection failed", "error", err)
	}
	s.closeIntake()
}

// execute runs a command that is not queued; c is nil if the verb is unknown. It replies if the command is refused.
func (s *session) execute(c *command, verb, arg string) {
	s.refresh()
	if c == nil {
		s.srv.observer.Command(-1)
		s.activity.begin("", "")
		s.log.Debug("unknown command", "verb", wire.LoggableVerb(verb))
	} else {
		s.srv.observer.Command(c.index)
		s.activity.begin(verb, arg)
		s.log.Debug("command", "verb", verb, "argument", shownArgument(verb, arg))
	}
	if s.login != nil && !s.stillWelcome() {
		s.refuse(errAccountChanged)
		return
	}
	if verb != "RNTO" {
		s.renameFrom = "" // RNTO must follow RNFR immediately
	}
	if c == nil {
		s.reply(500, "Unknown command; HELP lists those that are known.")
		s.refuseIf(s.unknownCommand())
		return
	}
	s.refuseIf(s.dispatch(c, verb, arg))
	if c.transfers {
		s.reservations = 0
		if s.transfer == nil {
			s.noTransfer(refusedCommand)
			s.held.GiveAll()
		}
	}
}

// dispatch checks the command, or SITE command, against its table entry and runs it. It returns the refusal, or nil.
func (s *session) dispatch(c *command, verb, arg string) error {
	switch {
	case !c.open && s.login == nil:
		return refuse(530, "Log in with USER and PASS first.")
	case c.needs != 0 && s.login.Rights&c.needs == 0:
		s.auditDenied(verb, arg)
		return s.denied()
	case c.needsArg() && arg == "":
		return refuse(501, c.usage(verb))
	case c.transfers && s.mustProtect():
		return refuse(521, "Data connections need TLS here: send PBSZ 0 and PROT P.")
	case c.transfers && s.data == nil:
		return refuse(425, "Use PASV or EPSV first.")
	case c.transfers && !s.held.Take(budget.TransferDescriptors):
		s.log.Warn("transfer refused", "error", budget.ErrNoDescriptors)
		return refuse(450, "Too many files and connections are open; try again later.")
	}
	return c.run(s, arg)
}

func (s *session) reply(code int, text string) { s.out.Reply(code, text) }

// denied returns the refusal of a command that the user's rights do not allow.
func (s *session) denied() error {
	return refuse(550, "Permission denied: your access is "+s.login.AccessText()+".")
}

// settings returns the settings for the command that is being executed. A reload takes effect with the next command.
func (s *session) settings() *settings { return s.current }

// refresh loads the settings in force and returns them.
func (s *session) refresh() *settings {
	s.current = s.srv.settings.Load()
	return s.current
}

// stillWelcome compares the login with the settings in force. Changed rights take effect at once. It returns false if
// the user no longer exists or has another home, and must log in again.
func (s *session) stillWelcome() bool {
	current := s.settings()
	if current == s.login.settings {
		return true
	}
	id, ok := current.auth.Lookup(s.login.Name)
	if !ok || id.Home != s.login.Home {
		return false
	}
	s.login.Identity, s.login.settings = id, current
	return true
}

// revoke aborts the transfer of a user who must log in again. The session gets its 421 as the reply to its next
// command.
func (s *session) revoke() {
	if s.transfer != nil && s.login != nil && !s.stillWelcome() {
		s.transfer.Abort(transfer.ErrRevoked)
	}
}

// deadline returns the time at which the session is ended if it stays idle.
func (s *session) deadline() time.Time {
	cfg := s.settings().cfg
	d := s.lastActive.Add(cfg.Timeouts.Idle.Std())
	if s.srv.refusing() {
		if drain := s.lastActive.Add(cfg.Drain.Idle.Std()); drain.Before(d) {
			d = drain
		}
	}
	if s.login == nil && s.loginBy.Before(d) {
		d = s.loginBy
	}
	return d
}

// timeout ends the session if its deadline has passed.
func (s *session) timeout() {
	switch {
	case time.Now().Before(s.deadline()):
		return // the session has been active, or the settings have changed, since the timer was set
	case s.srv.refusing():
		s.refuse(errGoingDown)
	case s.login == nil && !time.Now().Before(s.loginBy):
		s.report(bans.NoLogin)
		s.refuse(errNoLogin)
	default:
		s.refuse(errIdle)
	}
}

// terminate ends the session at once because its context was cancelled: the cause is an end of the server, an
// eviction, a kick, or a reply that could not be sent.
func (s *session) terminate() {
	if s.transfer != nil {
		s.transfer.Abort(context.Cause(s.ctx))
		s.settle(s.transfer.Wait())
	}
	if errors.Is(context.Cause(s.ctx), errCrowded) {
		s.report(bans.NoLogin)
	}
	if !s.closed() {
		s.refuseIf(farewell(context.Cause(s.ctx)))
	}
	s.closeIntake()
}

// pause waits for d, or until the session's context is cancelled.
func (s *session) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}

// close closes the session and gives back everything it holds.
func (s *session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeIntake()
	s.timer.Stop()
	if s.transfer != nil {
		s.transfer.Abort(transfer.ErrLost)
		s.settle(s.transfer.Wait())
	}
	s.dropData(observe.UnusedSessionEnded)
	s.endDrain()
	s.logout("disconnected")
	s.held.GiveAll()
	if s.tls != nil {
		_ = s.tls.CloseWrite()
	}
	_ = s.conn.CloseWrite()
	if !errors.Is(context.Cause(s.ctx), errCrowded) || !s.srv.pressed() {
		s.linger()
	}
	_ = s.conn.Close()
	s.end(nil)
	s.log.Debug("disconnected")
}

// lingerTime is the time that a client has to close its side after the last reply.
const lingerTime = 500 * time.Millisecond

// linger reads and discards what the client still sends, for lingerTime at most. Closing a connection with unread
// data resets it, and the client would lose the last reply, which says why.
func (s *session) linger() {
	if s.in.Ended.Load() {
		return
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(lingerTime))
	buf := make([]byte, wire.BufferSize)
	for {
		if _, err := s.conn.Read(buf); err != nil {
			return
		}
	}
}

// errCrowded is the cause of the end of a session that has to give its place to a newer one.
var errCrowded = errors.New("too many clients that do not log in")

// These refusals end a session.
var (
	errAccountChanged = refuse(421, "Your account was removed or changed: connect and log in again.")
	errGoingDown      = refuse(421, "The server is shutting down; connect again.")
	errNoLogin        = refuse(421, "No login in time; connect again.")
	errIdle           = refuse(421, "Idle for too long; connect again.")
	errKicked         = refuse(421, "The server's operator has ended your session.")
	errEvicted        = refuse(421, "Too many clients do not log in, and you have waited for the longest; connect again.")
	errPanicked       = refuse(421, transfer.TextPanicked)
)

// farewell returns the refusal for the cause of a session's end, or nil if the client gets no reply.
func farewell(cause error) error {
	switch {
	case errors.Is(cause, transfer.ErrShutdown):
		return errGoingDown
	case errors.Is(cause, transfer.ErrKicked):
		return errKicked
	case errors.Is(cause, errCrowded):
		return errEvicted
	default:
		return nil
	}
}
