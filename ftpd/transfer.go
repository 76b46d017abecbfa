package ftpd

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bandwidth"
	"github.com/ftp-operator/ftp-operator/ftpd/fair"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// job is what a transfer command wants moved.
type job struct {
	verb    string
	path    string
	opening string // the text of the 150 reply
	size    int64  // octets on the wire, for STAT; -1 if not known
	upload  bool
	// quiet: a listing, which is not logged.
	quiet bool
	// local: work without a data connection.
	local bool
	// change is the audit log's event of work that changes files, and from whence; see audit.go.
	change string
	from   string
	// typ is the representation type, "A" or "I", for the log.
	typ string
	// move moves the data.
	move func(t *transfer, conn net.Conn) error
	// commit makes an upload durable, before it is acknowledged; nil if there is nothing to do.
	commit func() error
	// discard is called instead of commit if anything failed before it. May be nil.
	discard func()
	// keep is called instead of discard if the upload broke off and what has come is worth
	// keeping. May be nil.
	keep func() error
	// closed is called last, whatever happened. May be nil.
	closed func()
	// done is the text of the 226 reply.
	done string
}

// transfer is a job that runs; see minder.go for where.
type transfer struct {
	job
	started  time.Time
	opened   time.Time     // when the 150 was sent
	timeout  time.Duration // for how long the data connection may stand still
	bytes    atomic.Int64  // octets moved on the wire
	do       func() result // does it all
	result   chan result   // gets what do returns
	flow     *bandwidth.Flow
	coding   coding
	account  string       // of the user, for what is shared among them
	deflates *fair.Places // of the server, for MODE Z
	held     held         // descriptors
	tls      *dataTLS     // nil: in clear text
	secure   *tls.Conn    // with tls, once the handshake is done

	observer observe.Observer // nil in tests of the parts

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	conn    net.Conn
	limit   time.Time // no time beyond it, if set
	pace    pace
	aborted error
	settled bool         // it has failed by itself: abort comes too late
	rest    *net.TCPConn // to be drained after the reply
}

// Errors that end a transfer.
var (
	errShrunk  = errors.New("the file became shorter while it was sent")
	errStalled = errors.New("the data connection stood still")
)

// finished is where a running transfer's result comes from.
func (t *transfer) finished() <-chan result { return t.result }

// start runs a job over the data connection that was agreed upon.
func (s *session) start(j job) {
	s.containJob(&j)
	data := s.data
	s.data, s.restart, s.part, s.allocate = nil, 0, nil, 0
	t := s.newTransfer(j)
	t.timeout = s.settings().cfg.Timeouts.Data.Std()
	t.tls, t.coding, t.flow = s.dataTLS(), s.coding, s.flow(j.upload)
	t.deflates, t.held = s.srv.deflates, s.held.move()
	if s.login != nil { // which tests of the parts do without
		t.account = account(*s.login)
	}
	s.srv.transfers.Add(1)
	direction, observer := t.direction(), s.srv.observer
	t.observer = observer
	observer.TransferBegan(direction)
	s.activity.run(t)
	t.do = func() result {
		err := s.contain(func() error { return t.run(s, data) })
		t.flow.Close()
		data.release()
		s.unused(data, unusedBy(t.stopped()))
		if t.closed != nil {
			t.closed()
		}
		s.srv.transfers.Add(-1)
		if t.rest == nil {
			t.held.giveAll()
		}
		r := t.outcome(err)
		observer.TransferEnded(direction, r.ending, time.Since(t.started))
		return r
	}
	s.starting = t
}

// newTransfer makes a job the session's, to be aborted by ABOR.
func (s *session) newTransfer(j job) *transfer {
	t := &transfer{job: j, started: time.Now(), result: make(chan result, 1)}
	t.ctx, t.cancel = context.WithCancelCause(context.Background())
	s.transfer = t
	return t
}

// work does beside the session's loop what may take long and needs no data connection. The
// session goes on meanwhile as during a transfer.
func (s *session) work(verb, path string, do func(ctx context.Context) result) {
	t := s.newTransfer(job{verb: verb, path: path, size: -1, quiet: true, local: true})
	s.activity.run(t)
	t.do = func() result {
		var r result
		if err := s.contain(func() error { r = do(t.ctx); return nil }); err != nil {
			return t.outcome(err)
		}
		if err := t.stopped(); err != nil && r.err != nil {
			r = t.outcome(err)
		}
		return r
	}
	s.starting = t
}

// finish ends the transfer for the session: log line, reply, and what QUIT asked for.
func (s *session) finish(r result) {
	t := s.transfer
	s.transfer = nil
	s.activity.run(nil)
	t.cancel(nil)
	if !t.quiet {
		s.auditTransfer(t, r)
	}
	s.reply(r.code, r.text)
	if t.rest != nil {
		rest := t.rest
		s.drain(t.held.move(), func(context.Context) *net.TCPConn { return rest })
	}
	s.lastActive = time.Now()
	s.closing = s.closing || errors.Is(r.err, errPanicked)
	if s.aborting {
		s.aborting = false
		s.reply(226, "ABOR done; the data connection is closed.")
	}
	if s.quitting {
		s.bye()
	}
}

// run does the whole transfer and returns nil when all of it, commit included, has succeeded.
func (t *transfer) run(s *session, data connector) (err error) {
	committed := false
	defer func() {
		if !committed {
			t.giveUp(err)
		}
	}()
	leave, err := t.enterCoding() // before the 150, so that a refusal comes instead
	if err != nil {
		return err
	}
	defer leave()
	// By itself, and before the connection: some clients connect only now, and others wait for ever for
	// a reply that they have read together with another.
	s.reply(150, t.opening)
	t.opened = time.Now()
	conn, err := data.connect(t.ctx)
	if err != nil {
		return &connectError{err}
	}
	defer func() {
		if t.settle(err); t.refusedUpload(err) {
			t.rest = conn
			return
		}
		t.closeData(conn, err)
	}()
	if err := t.adopt(conn); err != nil {
		return err
	}
	over, err := t.protect(conn) // after the 150: some clients begin their handshake only now
	if err != nil {
		return err
	}
	t.observer.FirstByte(t.direction(), time.Since(t.started))
	if err := t.move(t, over); err != nil {
		return err
	}
	if err := t.endData(conn); err != nil {
		return err
	}
	if t.upload && s.clientLost() {
		return errLost
	}
	if err := t.stopped(); err != nil || t.commit == nil {
		return err
	}
	committed = true
	return t.commit()
}

// connectError is a data connection that never came about.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// closeData closes the data connection: in order, also if the transfer failed. The reply then says that what
// was sent is not the whole, and a client must not lose it over a connection that is reset (some would read it
// as the reply to their next command). With TLS there is no close_notify either. It is reset only if there is no use
// in sending what the kernel still has: the client has sent ABOR, is gone, or takes nothing.
func (t *transfer) closeData(conn *net.TCPConn, err error) {
	cause := t.stopped()
	unread := errors.Is(cause, errAborted) || errors.Is(cause, errLost)
	if err != nil && (unread || cause == nil && errors.Is(err, os.ErrDeadlineExceeded)) {
		_ = conn.SetLinger(0)
	}
	_ = conn.Close()
}

// adopt makes the connection the transfer's, to be interrupted by abort.
func (t *transfer) adopt(conn net.Conn) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn = conn
	return t.aborted
}

// port is the server's end of the data connection; 0 if there was none.
func (t *transfer) port() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == nil {
		return 0
	}
	return int(socket.AddrPort(t.conn.LocalAddr()).Port())
}

// extend allows the data connection to stand still for another while. It returns why the
// transfer was aborted, if it was.
func (t *transfer) extend() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil {
		return t.aborted
	}
	now := time.Now()
	t.pace.note(mark{now, t.bytes.Load()})
	deadline := now.Add(t.timeout)
	if !t.limit.IsZero() && t.limit.Before(deadline) {
		deadline = t.limit
	}
	return t.conn.SetDeadline(deadline)
}

// hurry bounds all that follows by a time, the zero time by none.
func (t *transfer) hurry(limit time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limit = limit
}

// wind sets the deadline of the connection's last reads. It returns why the transfer was aborted,
// if it was.
func (t *transfer) wind(limit time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil {
		return t.aborted
	}
	return t.conn.SetReadDeadline(limit)
}

// abort interrupts the transfer wherever it is. The first cause counts.
func (t *transfer) abort(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil || t.settled {
		return
	}
	t.aborted = cause
	t.cancel(cause)
	if t.conn != nil {
		_ = t.conn.SetDeadline(time.Unix(1, 0))
	}
}

// stopped returns why the transfer was aborted, or nil.
func (t *transfer) stopped() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.aborted
}

// clientLost reports whether the control connection has ended without a QUIT. The end of an
// upload's data connection is the end of the file only if the client is still there: the kernel
// of a client that was killed ends both connections in the same orderly way.
func (s *session) clientLost() bool {
	if s.in.Quit.Load() {
		return false
	}
	return s.in.Ended.Load() || socket.PeerClosed(s.conn)
}

// direction of a job that uses a data connection.
func (j *job) direction() observe.Direction {
	switch {
	case j.upload:
		return observe.Upload
	case j.quiet:
		return observe.Listing
	default:
		return observe.Download
	}
}
