package transfer

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
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/fair"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// Kind says what a transfer moves.
type Kind uint8

const (
	Download Kind = iota
	Upload
	Listing
	// Work moves nothing over a data connection: it is a command that may take long, such as HASH, during which the
	// session goes on as during a transfer.
	Work
)

// Direction is the kind as metrics name it; that of Work has no meaning.
func (k Kind) Direction() observe.Direction {
	switch k {
	case Upload:
		return observe.Upload
	case Listing:
		return observe.Listing
	default:
		return observe.Download
	}
}

// Plan is what a command wants done: the beginning of a transfer's life, which goes on with begin (the session accepts
// the plan), run (the goroutine that has read the command does it) and settle (the session logs and replies).
type Plan struct {
	Kind Kind
	Verb string
	Path string
	// Type is the representation type, "A" or "I", for the log; empty for listings and work.
	Type string
	// Opening is the text of the 150 reply, and done that of the 226 reply.
	Opening, Done string
	// Size is the number of octets on the wire; -1 if that is not known.
	Size int64
	// Content is what is moved; nil for Work.
	Content content
	// Work is what Work does. It should end early when ctx does.
	Work func(ctx context.Context) Result
	// Change and from are the audit log's event of work that changes files, and its sources. Work without is not logged.
	Change, From string
}

// Session is what a transfer asks of the session that it belongs to. It calls the methods without the session's
// lock.
type Session interface {
	// Opening sends the 150 reply.
	Opening(text string)
	// ClientGone reports whether the control connection has ended without a QUIT.
	ClientGone() bool
	// Contain runs f. If f panics it logs that and returns ErrPanicked.
	Contain(f func() error) error
}

// Options are what a session gives a transfer.
type Options struct {
	Session Session
	// Data makes the data connection; nil for Work.
	Data Connector
	// Timeout is for how long the data connection may stand still.
	Timeout time.Duration
	// TLS is nil for a data connection in clear text.
	TLS      *TLS
	Coding   Coding
	Flow     *bandwidth.Flow // nil: without a limit of the rate
	Account  string          // of the user, for what is shared among users
	Deflates *fair.Places    // of the server, for MODE Z
	Held     budget.Held     // descriptors
	Observer observe.Observer
}

// Transfer is a plan that was begun. Its methods may be called by any goroutine, run by one.
type Transfer struct {
	Plan
	Options
	Started time.Time
	opened  time.Time    // when the 150 was sent
	bytes   atomic.Int64 // octets moved on the wire
	result  chan Result  // gets the result of run
	secure  *tls.Conn    // with tls, once the handshake is done
	// rest is the data connection of an upload that the server refused while its client still sends. It is set by run, and
	// drained after the reply.
	rest *net.TCPConn

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu      sync.Mutex // guards what follows
	conn    *net.TCPConn
	limit   time.Time // no deadline is later, if it is set
	pace    pace
	aborted error
	failed  bool // it has failed by itself: abort comes too late
}

// Errors that end a transfer.
var (
	errShrunk  = errors.New("the file became shorter while it was sent")
	errStalled = errors.New("the data connection stood still")
)

// New returns a transfer that run does.
func New(p Plan, o Options) *Transfer {
	t := &Transfer{Plan: p, Options: o, Started: time.Now(), result: make(chan Result, 1)}
	t.ctx, t.cancel = context.WithCancelCause(context.Background())
	return t
}

// Run does all of the transfer. wait returns its result.
func (t *Transfer) Run() {
	if t.Kind == Work {
		t.result <- t.runWork()
		return
	}
	err := t.Session.Contain(t.exchange)
	moved := err == nil
	if moved {
		err = t.commit()
	}
	t.endConnection(err)
	if !moved {
		t.drop(err)
	}
	t.Flow.Close()
	t.Data.Release()
	_ = t.Session.Contain(func() error { t.Content.close(); return nil })
	if t.rest == nil {
		t.Held.GiveAll()
	}
	r := t.outcome(err)
	t.Observer.TransferEnded(t.Kind.Direction(), r.Ending, time.Since(t.Started))
	t.result <- r
}

// Wait waits for the end of run and returns its result. Only one caller gets it.
func (t *Transfer) Wait() Result {
	r := <-t.result
	t.cancel(nil)
	return r
}

// TakeRest returns the data connection of an upload that the server refused while its client still sends, with its
// descriptors, for the caller to drain and close; nil if there is none. It may be called after wait.
func (t *Transfer) TakeRest() (*net.TCPConn, budget.Held) { return t.rest, t.Held.Move() }

func (t *Transfer) runWork() Result {
	var r Result
	if err := t.Session.Contain(func() error { r = t.Work(t.ctx); return nil }); err != nil {
		return t.outcome(err)
	}
	if err := t.AbortCause(); err != nil && r.Err != nil {
		return t.outcome(err)
	}
	return r
}

// exchange moves the data, from the 150 to the orderly end of the data connection.
func (t *Transfer) exchange() error {
	leave, err := t.enterCoding() // before the 150, so that a refusal comes instead
	if err != nil {
		return err
	}
	defer leave()
	// By itself, and before the connection: some clients connect only now, and others wait for ever for
	// a reply that they have read together with another.
	t.Session.Opening(t.Opening)
	t.opened = time.Now()
	conn, err := t.Data.Connect(t.ctx)
	if err != nil {
		return &connectError{err}
	}
	if err := t.setConn(conn); err != nil {
		return err
	}
	over, err := t.protect(conn) // after the 150: some clients begin their handshake only now
	if err != nil {
		return err
	}
	t.Observer.FirstByte(t.Kind.Direction(), time.Since(t.Started))
	if err := t.Content.move(t, over); err != nil {
		return err
	}
	if err := t.endData(conn); err != nil {
		return err
	}
	if t.Kind == Upload && t.Session.ClientGone() {
		return ErrLost
	}
	return t.AbortCause()
}

// commit makes an upload durable, before it is acknowledged.
func (t *Transfer) commit() error {
	err := t.Session.Contain(t.Content.commit)
	if errors.Is(err, ErrPanicked) {
		t.drop(err) // a commit that fails has done it
	}
	return err
}

// drop gives up a transfer that failed with err and was not committed.
func (t *Transfer) drop(err error) {
	_ = t.Session.Contain(func() error { t.Content.drop(t.brokeOff(err)); return nil })
}

// brokeOff reports whether the client or its connection ended the transfer with err, and not the storage or a verdict on
// the user.
func (t *Transfer) brokeOff(err error) bool {
	o, _ := t.find(err)
	return o.keeps
}

// connectError is a data connection that never came about.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// endConnection closes the data connection, if there is one, after the transfer has ended with err. That of an upload
// whose client still sends is left open, as t.rest.
func (t *Transfer) endConnection(err error) {
	conn := t.fail(err)
	switch {
	case conn == nil:
	case t.refusedUpload(err):
		t.rest = conn
	default:
		t.closeData(conn, err)
	}
}

// closeData closes the data connection: in order, also if the transfer failed. The reply then says that what
// was sent is not the whole, and a client must not lose it over a connection that is reset (some would read it
// as the reply to their next command). With TLS there is no close_notify either. It is reset only if there is no use
// in sending what the kernel still has: the client has sent ABOR, is gone, or takes nothing.
func (t *Transfer) closeData(conn *net.TCPConn, err error) {
	cause := t.AbortCause()
	unread := errors.Is(cause, ErrAborted) || errors.Is(cause, ErrLost)
	if err != nil && (unread || cause == nil && errors.Is(err, os.ErrDeadlineExceeded)) {
		_ = conn.SetLinger(0)
	}
	_ = conn.Close()
}

// refusedUpload reports whether the server has ended an upload, with err, whose client still sends.
func (t *Transfer) refusedUpload(err error) bool {
	return t.Kind == Upload && err != nil && t.AbortCause() == nil && !socket.IsBroken(err) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// setConn makes the data connection the transfer's, so that abort interrupts it. It returns why the transfer was
// aborted, if it was.
func (t *Transfer) setConn(conn *net.TCPConn) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn = conn
	return t.aborted
}

// extendDeadline allows the data connection to stand still for another while. It returns why the
// transfer was aborted, if it was.
func (t *Transfer) extendDeadline() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil {
		return t.aborted
	}
	now := time.Now()
	t.pace.note(mark{now, t.bytes.Load()})
	deadline := now.Add(t.Timeout)
	if !t.limit.IsZero() && t.limit.Before(deadline) {
		deadline = t.limit
	}
	return t.conn.SetDeadline(deadline)
}

// capDeadline bounds every later deadline; the zero time removes the bound.
func (t *Transfer) capDeadline(limit time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limit = limit
}

// setReadDeadline bounds the reads after the last write. It returns why the transfer was aborted, if it was.
func (t *Transfer) setReadDeadline(limit time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil {
		return t.aborted
	}
	return t.conn.SetReadDeadline(limit)
}

// moved counts octets that were moved, and waits for as long as they take at the rate that the
// transfer may have. It returns why the transfer was aborted, if it was while it waited.
func (t *Transfer) moved(n int64) error {
	t.bytes.Add(n)
	t.Observer.Moved(t.Kind.Direction(), n)
	return t.Flow.Pay(t.ctx, n)
}

// Abort interrupts the transfer wherever it is. The first cause counts.
func (t *Transfer) Abort(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil || t.failed {
		return
	}
	t.aborted = cause
	t.cancel(cause)
	if t.conn != nil {
		_ = t.conn.SetDeadline(time.Unix(1, 0)) // long past
	}
}

// AbortCause returns why the transfer was aborted, or nil.
func (t *Transfer) AbortCause() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.aborted
}

// fail makes err, if it is one, what the transfer failed with, whatever happens to it from now on: that the
// client leaves is no cause of what came before. It returns the data connection, or nil.
func (t *Transfer) fail(err error) *net.TCPConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = t.failed || err != nil && t.aborted == nil
	return t.conn
}

// snapshot is how far a transfer is at a moment.
type snapshot struct {
	Took    time.Duration // since its command
	Bytes   int64         // octets moved on the wire
	Rate    int64         // octets a second, of late
	Average int64         // octets a second, since its command
	Port    int           // the server's end of the data connection; 0 if there was none
	TLS     bool          // the data connection is encrypted
}

// Snapshot describes the transfer at a moment.
func (t *Transfer) Snapshot(now time.Time) snapshot {
	n := t.bytes.Load()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := snapshot{
		Took: now.Sub(t.Started), Bytes: n, TLS: t.TLS != nil,
		Rate: t.pace.rate(mark{now, n}, t.Started), Average: rateOf(n, now.Sub(t.Started)),
	}
	if t.conn != nil {
		s.Port = int(socket.AddrPort(t.conn.LocalAddr()).Port())
	}
	return s
}
