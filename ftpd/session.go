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
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// session is one control connection. See schedule.go for the goroutines that work on it.
type session struct {
	// These fields never change once the session is made.
	srv  *Server
	id   uint64 // the number of the session in the log
	conn *socket.Control
	origin
	lease *limits.Lease // its place among the sessions
	in    *wire.Reader  // read by one goroutine at a time, which pipeline.reading tells
	out   *wire.Writer  // has a lock of its own
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

	log        *slog.Logger // bears the user's name while one is logged in
	current    *settings    // those that the command goes by which is executed
	user       string       // a name that waits for its password
	login      *login       // nil: no user is logged in
	failures   int          // number of failed logins
	loginBy    time.Time    // when the session is ended if no user is logged in
	lastActive time.Time    // when the last command or transfer ended
	names      wire.Names   // how the client writes names of files

	params // what REIN resets
	tlsState
	offences

	held        budget.Held        // descriptors for the next transfer
	heldForData int                // those of them for its data connection
	stopDrain   context.CancelFunc // ends what drain does; nil if nothing is drained
}

// login is the user that is logged in.
type login struct {
	auth.Identity
	settings *settings  // those that the identity was last compared with
	fs       storage.FS // the home
	rates    *bandwidth.Session
	since    time.Time
}

// params are a session's parameters, at RFC 959's defaults in newParams.
type params struct {
	cwd        string
	ascii      bool               // TYPE A; else I
	record     bool               // STRU R, treated as F
	coding     transfer.Coding    // MODE, and its options
	restart    int64              // REST: for the next transfer
	part       *wire.ByteRange    // RANG: for the next download or checksum
	hash       checksum.Algorithm // OPTS HASH
	allocate   int64              // ALLO: for the next transfer, if above zero
	renameFrom string             // RNFR: for RNTO, if it comes next
	epsvAll    bool               // EPSV ALL came
	data       transfer.Connector // where the next data connection comes from; nil: nothing was said
	facts      listing.FactSet    // OPTS MLST
	pbsz       bool               // PBSZ came, or needs not come
	private    bool               // PROT P: data connections carry TLS
	host       string             // HOST
}

func newParams() params {
	return params{cwd: "/", ascii: true, facts: listing.AllFacts, coding: transfer.Coding{Level: transfer.DefaultLevel}, hash: checksum.Default}
}

// handle executes a line, or queues it while a transfer runs. ABOR overtakes what is queued: it is about the transfer that
// runs, and may be the only way to end it. The caller holds the lock.
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

// hangUp ends the session after the control connection was lost. A transfer goes down with it
// (RFC 959 section 2.3): an upload whose client died must not look complete. A client that said
// QUIT before it closed its side gets what it asked for until then.
func (s *session) hangUp(err error) {
	orderly := errors.Is(err, io.EOF) || errors.Is(err, ftptls.ErrTruncated) // on which little depends here
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

// execute checks what the table says of the command and runs it.
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

// dispatch checks what the table says of a command, or of a SITE command, and runs it.
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

var errAccountChanged = refuse(421, "Your account was removed or changed: connect and log in again.")

func (s *session) reply(code int, text string) { s.out.Reply(code, text) }

// denied is the refusal of what the user's rights don't allow.
func (s *session) denied() error {
	return refuse(550, "Permission denied: your access is "+s.login.AccessText()+".")
}

// settings are those that the command goes by which is executed: a reload holds from the next one on.
func (s *session) settings() *settings { return s.current }

// refresh takes the settings that are in force now, and returns them.
func (s *session) refresh() *settings {
	s.current = s.srv.settings.Load()
	return s.current
}

// stillWelcome compares the login with the settings in force: rights that changed hold from now
// on; a user who is gone or lives elsewhere has to log in again.
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

// revoke ends the transfer of a user who is no longer welcome. The session itself gets its 421
// as the reply to its next command.
func (s *session) revoke() {
	if s.transfer != nil && s.login != nil && !s.stillWelcome() {
		s.transfer.Abort(transfer.ErrRevoked)
	}
}

// deadline is when the session is ended if it stays idle.
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

// timeout ends the session, which has been idle until its deadline.
func (s *session) timeout() {
	switch {
	case time.Now().Before(s.deadline()):
		return // the settings have changed since the timer was set
	case s.srv.refusing():
		s.reply(421, "The server is shutting down; connect again.")
	case s.login == nil && !time.Now().Before(s.loginBy):
		s.report(bans.NoLogin)
		s.reply(421, "No login in time; connect again.")
	default:
		s.reply(421, "Idle for too long; connect again.")
	}
	s.closeIntake()
}

// terminate ends the session now: the server's grace has passed, or a reply could not be sent.
func (s *session) terminate() {
	if s.transfer != nil {
		s.transfer.Abort(context.Cause(s.ctx))
		s.settle(s.transfer.Wait())
	}
	if errors.Is(context.Cause(s.ctx), errCrowded) {
		s.report(bans.NoLogin)
	}
	if text := farewell(context.Cause(s.ctx)); text != "" && !s.closed() {
		s.reply(421, text)
	}
	s.closeIntake()
}

// pause waits, unless the session ends meanwhile.
func (s *session) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}

// close gives everything back.
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

// lingerTime is how long the client may take to close its side after the last reply.
const lingerTime = 500 * time.Millisecond

// linger takes what the client may still be sending: closing over it would reset the connection,
// and the client would lose the last reply, which says why.
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

var errCrowded = errors.New("too many clients that do not log in")

// farewell is the text of the 421 with which a session ends for the cause, or "" if there is none.
func farewell(cause error) string {
	switch {
	case errors.Is(cause, transfer.ErrShutdown):
		return "The server is shutting down; connect again."
	case errors.Is(cause, transfer.ErrKicked):
		return "The server's operator has ended your session."
	case errors.Is(cause, errCrowded):
		return "Too many clients do not log in, and you have waited for the longest; connect again."
	default:
		return ""
	}
}
