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
	// Download sends a file, or a part of it.
	Download Kind = iota
	// Upload stores what the client sends.
	Upload
	// Listing sends the lines of LIST, NLST or MLSD.
	Listing
	// Work moves nothing over a data connection. It is a command that may take long, such as HASH; meanwhile the
	// session behaves as during a transfer.
	Work
)

// Direction returns the kind as metrics name it. For Work the result has no meaning.
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

// Plan describes what a command wants to have done. A transfer has these stages: a command makes the Plan, the
// session accepts it (session.begin), the goroutine that has read the command moves the data (Run), and the session
// writes the log line and the reply (session.settle).
type Plan struct {
	Kind Kind
	Verb string
	Path string
	// Type is the representation type, "A" or "I", for the log; empty for listings and work.
	Type string
	// Opening is the text of the 150 reply, and Done that of the 226 reply.
	Opening, Done string
	// Size is the number of octets on the wire; -1 if it is not known.
	Size int64
	// Content is what is moved; nil for Work.
	Content content
	// Work is the function of a plan of kind Work. It should return early when ctx is cancelled.
	Work func(ctx context.Context) Result
	// Change and From are the event and the sources in the audit line of work that changes files. If Change is empty,
	// work is not logged.
	Change, From string
}

// Session is the session that a transfer belongs to. The transfer calls the methods without holding the session's
// lock.
type Session interface {
	// Opening sends the 150 reply.
	Opening(text string)
	// Ended is called once, with the result, before Wait returns it.
	Ended(t *Transfer, r Result)
	// ClientGone reports whether the control connection has ended without QUIT.
	ClientGone() bool
	// Contain runs f. If f panics, Contain logs the panic and returns ErrPanicked.
	Contain(f func() error) error
}

// Options holds what a session gives a transfer, besides the plan.
type Options struct {
	Session Session
	Peer    *Peer // may be nil
	// Data makes the data connection; nil for Work.
	Data Connector
	// Timeout is the longest time for which the data connection may move nothing.
	Timeout time.Duration
	// TLS is nil for a data connection in clear text.
	TLS      *TLS
	Coding   Coding
	Flow     *bandwidth.Flow // nil: no limit of the rate
	Account  string          // the user's name for limits that users share
	Deflates *fair.Places    // the server's places for transfers in MODE Z
	Held     budget.Held     // descriptors of the transfer
	Observer observe.Observer
}

// Transfer is an accepted plan. Any goroutine may call its methods, but only one may call Run.
type Transfer struct {
	Plan
	Options
	Started time.Time
	opened  time.Time    // when the 150 was sent
	bytes   atomic.Int64 // number of octets moved on the wire
	result  chan Result  // receives the result of Run
	secure  *tls.Conn    // the TLS connection once its handshake is done; else nil
	// rest is the data connection of an upload that the server refused while its client is still sending. Run sets
	// it; the session drains it after the reply.
	rest *net.TCPConn
	// reader is the connection of a small download after everything was sent: the client is reading.
	reader *rawConn

	mu      sync.Mutex // guards the fields below
	ctx     context.Context
	cancel  context.CancelCauseFunc
	conn    *net.TCPConn
	port    uint16    // the server's port of a data connection that was never in conn
	limit   time.Time // if not zero, no deadline is set later than this
	pace    pace
	aborted error
	failed  bool // the transfer has failed by itself, so that Abort has no effect
}

// These errors end a transfer.
var (
	errShrunk  = errors.New("the file became shorter while it was sent")
	errStalled = errors.New("the data connection stood still")
)

// New returns a transfer. The caller must see to it that Run is called.
func New(p Plan, o Options) *Transfer {
	return &Transfer{Plan: p, Options: o, Started: time.Now(), result: make(chan Result, 1)}
}

// context returns the context that Abort cancels. It is made when it is needed: a small transfer in clear text needs none.
func (t *Transfer) context() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx == nil {
		t.ctx, t.cancel = context.WithCancelCause(context.Background())
		if t.aborted != nil {
			t.cancel(t.aborted)
		}
	}
	return t.ctx
}

// Run does the whole transfer. Wait returns its result.
func (t *Transfer) Run() {
	if t.Kind == Work {
		t.end(t.runWork())
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
	r := t.outcome(err)
	t.Observer.TransferEnded(t.Kind.Direction(), r.Ending, time.Since(t.Started))
	t.end(r)
}

// end ends Run with the result r.
func (t *Transfer) end(r Result) {
	_ = t.Session.Contain(func() error { t.Session.Ended(t, r); return nil })
	t.awaitReader() // after all that can be done meanwhile
	if t.rest == nil && t.Kind != Work {
		t.Held.GiveAll()
	}
	t.result <- r
}

// Wait waits until Run has ended, and returns its result. It may be called only once.
func (t *Transfer) Wait() Result {
	r := <-t.result
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil {
		t.cancel(nil)
	}
	return r
}

// TakeRest returns the data connection of an upload that the server refused while its client is still sending, with
// its descriptors, for the caller to drain and close. It returns nil if there is none. It must be called after Wait.
func (t *Transfer) TakeRest() (*net.TCPConn, budget.Held) { return t.rest, t.Held.Move() }

func (t *Transfer) runWork() Result {
	var r Result
	if err := t.Session.Contain(func() error { r = t.Work(t.context()); return nil }); err != nil {
		return t.outcome(err)
	}
	if err := t.AbortCause(); err != nil && r.Err != nil {
		return t.outcome(err)
	}
	return r
}

// exchange moves the data: everything from the 150 reply to the orderly end of the data connection.
func (t *Transfer) exchange() error {
	leave, err := t.enterCoding() // before the 150, so that a refusal can replace it
	if err != nil {
		return err
	}
	defer leave()
	// The 150 is sent alone, and before the data connection is made: some clients connect only after reading it, and
	// others wait for ever for a reply that they have read together with another.
	t.Session.Opening(t.Opening)
	t.opened = time.Now()
	if conn := t.rawConn(); conn != nil {
		return t.exchangeRaw(conn)
	}
	conn, err := t.Data.Connect(t.context())
	if err != nil {
		return &connectError{err}
	}
	if err := t.setConn(conn); err != nil {
		return err
	}
	over, err := t.protect(conn) // after the 150: some clients begin their handshake only then
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
	return t.complete()
}

// complete returns why a transfer that has moved all data has failed nevertheless, or nil.
func (t *Transfer) complete() error {
	if t.Kind == Upload && t.Session.ClientGone() {
		return ErrLost
	}
	return t.AbortCause()
}

// commit makes an upload durable, before it is acknowledged.
func (t *Transfer) commit() error {
	err := t.Session.Contain(t.Content.commit)
	if errors.Is(err, ErrPanicked) {
		t.drop(err) // after any other error, Content.commit has dropped the data itself
	}
	return err
}

// drop gives up the data of a transfer that failed with err and was not committed.
func (t *Transfer) drop(err error) {
	_ = t.Session.Contain(func() error { t.Content.drop(t.brokeOff(err)); return nil })
}

// brokeOff reports whether err means that the client or its connection ended the transfer, and not the storage or a
// decision about the user.
func (t *Transfer) brokeOff(err error) bool {
	o, _ := t.find(err)
	return o.keeps
}

// connectError means that there was no data connection.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// endConnection closes the data connection, if there is one, after the transfer has ended with err. If the server has
// refused an upload and the client is still sending, it leaves the connection open, in t.rest.
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

// closeData closes the data connection in an orderly way, even if the transfer failed with err. The reply then says
// that the data are not complete. A reset connection would make some clients miss that reply, and read it as the
// reply to their next command. With TLS no close_notify is sent after a failure, either. closeData resets the
// connection only if sending the data that are still in the kernel is useless: the client has sent ABOR, has gone, or
// reads nothing.
func (t *Transfer) closeData(conn *net.TCPConn, err error) {
	cause := t.AbortCause()
	unread := errors.Is(cause, ErrAborted) || errors.Is(cause, ErrLost)
	if err != nil && (unread || cause == nil && errors.Is(err, os.ErrDeadlineExceeded)) {
		_ = conn.SetLinger(0)
	}
	_ = conn.Close()
}

// refusedUpload reports whether the server has ended an upload, with err, while the client is still sending.
func (t *Transfer) refusedUpload(err error) bool {
	return t.Kind == Upload && err != nil && t.AbortCause() == nil && !socket.IsBroken(err) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// setConn sets the transfer's data connection, so that Abort can interrupt it. If the transfer was aborted already,
// setConn returns the cause.
func (t *Transfer) setConn(conn *net.TCPConn) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn = conn
	return t.aborted
}

// extendDeadline sets the deadline of the data connection to Timeout from now. If the transfer was aborted,
// extendDeadline returns the cause instead.
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

// capDeadline sets an upper bound for every later deadline; the zero time removes the bound.
func (t *Transfer) capDeadline(limit time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limit = limit
}

// setReadDeadline sets the deadline for the reads after the last write. If the transfer was aborted, setReadDeadline
// returns the cause instead.
func (t *Transfer) setReadDeadline(limit time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil {
		return t.aborted
	}
	return t.conn.SetReadDeadline(limit)
}

// moved counts n octets that were moved, and waits as long as the transfer's rate limit demands. If the transfer is
// aborted during the wait, moved returns the cause.
func (t *Transfer) moved(n int64) error {
	t.bytes.Add(n)
	t.Observer.Moved(t.Kind.Direction(), n)
	if !t.Flow.Bounded() {
		return nil
	}
	return t.Flow.Pay(t.context(), n)
}

// Abort interrupts the transfer at whatever point it is. It has no effect on a transfer that was aborted before, or
// has failed by itself.
func (t *Transfer) Abort(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil || t.failed {
		return
	}
	t.aborted = cause
	if t.cancel != nil {
		t.cancel(cause)
	}
	if t.conn != nil {
		_ = t.conn.SetDeadline(time.Unix(1, 0)) // a time in the past makes pending I/O fail
	}
}

// AbortCause returns why the transfer was aborted; nil if it was not.
func (t *Transfer) AbortCause() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.aborted
}

// fail records that the transfer has failed if err is not nil: a later Abort must not replace err as the reason,
// since a client that leaves afterwards did not cause the failure. It returns the data connection, or nil.
func (t *Transfer) fail(err error) *net.TCPConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = t.failed || err != nil && t.aborted == nil
	return t.conn
}

// Snapshot describes how far a transfer is at one moment.
type Snapshot struct {
	Took    time.Duration // time since the command
	Bytes   int64         // octets moved on the wire
	Rate    int64         // octets per second of the last seconds
	Average int64         // octets per second since the command
	Port    int           // the server's port of the data connection; 0 if there was none
	TLS     bool          // whether the data connection is encrypted
}

// Snapshot describes the transfer at the time now.
func (t *Transfer) Snapshot(now time.Time) Snapshot {
	n := t.bytes.Load()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Snapshot{
		Took: now.Sub(t.Started), Bytes: n, TLS: t.TLS != nil,
		Rate: t.pace.rate(mark{now, n}, t.Started), Average: rateOf(n, now.Sub(t.Started)),
	}
	if s.Port = int(t.port); t.conn != nil {
		s.Port = int(socket.AddrPort(t.conn.LocalAddr()).Port())
	}
	return s
}
