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
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/fair"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// transferKind says what a transfer moves.
type transferKind uint8

const (
	kindDownload transferKind = iota
	kindUpload
	kindListing
	// kindWork moves nothing over a data connection: it is a command that may take long, such as HASH, during which the
	// session goes on as during a transfer.
	kindWork
)

// direction is the kind as metrics name it; that of kindWork has no meaning.
func (k transferKind) direction() observe.Direction {
	switch k {
	case kindUpload:
		return observe.Upload
	case kindListing:
		return observe.Listing
	default:
		return observe.Download
	}
}

// plan is what a command wants done: the beginning of a transfer's life, which goes on with begin (the session accepts
// the plan), run (the goroutine that has read the command does it) and settle (the session logs and replies).
type plan struct {
	kind transferKind
	verb string
	path string
	// typ is the representation type, "A" or "I", for the log; empty for listings and work.
	typ string
	// opening is the text of the 150 reply, and done that of the 226 reply.
	opening, done string
	// size is the number of octets on the wire; -1 if that is not known.
	size int64
	// content is what is moved; nil for kindWork.
	content content
	// work is what kindWork does. It should end early when ctx does.
	work func(ctx context.Context) result
	// change and from are the audit log's event of work that changes files, and its sources. Work without is not logged.
	change, from string
}

// transferSession is what a transfer asks of the session that it belongs to. It calls the methods without the session's
// lock.
type transferSession interface {
	// Opening sends the 150 reply.
	Opening(text string)
	// ClientGone reports whether the control connection has ended without a QUIT.
	ClientGone() bool
	// Contain runs f. If f panics it logs that and returns errPanicked.
	Contain(f func() error) error
}

// transferOptions are what a session gives a transfer.
type transferOptions struct {
	session transferSession
	// data makes the data connection; nil for kindWork.
	data connector
	// timeout is for how long the data connection may stand still.
	timeout time.Duration
	// tls is nil for a data connection in clear text.
	tls      *dataTLS
	coding   coding
	flow     *bandwidth.Flow // nil: without a limit of the rate
	account  string          // of the user, for what is shared among users
	deflates *fair.Places    // of the server, for MODE Z
	held     budget.Held     // descriptors
	observer observe.Observer
}

// transfer is a plan that was begun. Its methods may be called by any goroutine, run by one.
type transfer struct {
	plan
	transferOptions
	started time.Time
	opened  time.Time    // when the 150 was sent
	bytes   atomic.Int64 // octets moved on the wire
	result  chan result  // gets the result of run
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

// newTransfer returns a transfer that run does.
func newTransfer(p plan, o transferOptions) *transfer {
	t := &transfer{plan: p, transferOptions: o, started: time.Now(), result: make(chan result, 1)}
	t.ctx, t.cancel = context.WithCancelCause(context.Background())
	return t
}

// run does all of the transfer. wait returns its result.
func (t *transfer) run() {
	if t.kind == kindWork {
		t.result <- t.runWork()
		return
	}
	err := t.session.Contain(t.exchange)
	moved := err == nil
	if moved {
		err = t.commit()
	}
	t.endConnection(err)
	if !moved {
		t.drop(err)
	}
	t.flow.Close()
	t.data.release()
	_ = t.session.Contain(func() error { t.content.close(); return nil })
	if t.rest == nil {
		t.held.GiveAll()
	}
	r := t.outcome(err)
	t.observer.TransferEnded(t.kind.direction(), r.ending, time.Since(t.started))
	t.result <- r
}

// wait waits for the end of run and returns its result. Only one caller gets it.
func (t *transfer) wait() result {
	r := <-t.result
	t.cancel(nil)
	return r
}

// takeRest returns the data connection of an upload that the server refused while its client still sends, with its
// descriptors, for the caller to drain and close; nil if there is none. It may be called after wait.
func (t *transfer) takeRest() (*net.TCPConn, budget.Held) { return t.rest, t.held.Move() }

func (t *transfer) runWork() result {
	var r result
	if err := t.session.Contain(func() error { r = t.work(t.ctx); return nil }); err != nil {
		return t.outcome(err)
	}
	if err := t.stopped(); err != nil && r.err != nil {
		return t.outcome(err)
	}
	return r
}

// exchange moves the data, from the 150 to the orderly end of the data connection.
func (t *transfer) exchange() error {
	leave, err := t.enterCoding() // before the 150, so that a refusal comes instead
	if err != nil {
		return err
	}
	defer leave()
	// By itself, and before the connection: some clients connect only now, and others wait for ever for
	// a reply that they have read together with another.
	t.session.Opening(t.opening)
	t.opened = time.Now()
	conn, err := t.data.connect(t.ctx)
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
	t.observer.FirstByte(t.kind.direction(), time.Since(t.started))
	if err := t.content.move(t, over); err != nil {
		return err
	}
	if err := t.endData(conn); err != nil {
		return err
	}
	if t.kind == kindUpload && t.session.ClientGone() {
		return errLost
	}
	return t.stopped()
}

// commit makes an upload durable, before it is acknowledged.
func (t *transfer) commit() error {
	err := t.session.Contain(t.content.commit)
	if errors.Is(err, errPanicked) {
		t.drop(err) // a commit that fails has done it
	}
	return err
}

// drop gives up a transfer that failed with err and was not committed.
func (t *transfer) drop(err error) {
	_ = t.session.Contain(func() error { t.content.drop(t.brokeOff(err)); return nil })
}

// brokeOff reports whether the client or its connection ended the transfer with err, and not the storage or a verdict on
// the user.
func (t *transfer) brokeOff(err error) bool {
	o, _ := t.find(err)
	return o.keeps
}

// connectError is a data connection that never came about.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// endConnection closes the data connection, if there is one, after the transfer has ended with err. That of an upload
// whose client still sends is left open, as t.rest.
func (t *transfer) endConnection(err error) {
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
func (t *transfer) closeData(conn *net.TCPConn, err error) {
	cause := t.stopped()
	unread := errors.Is(cause, errAborted) || errors.Is(cause, errLost)
	if err != nil && (unread || cause == nil && errors.Is(err, os.ErrDeadlineExceeded)) {
		_ = conn.SetLinger(0)
	}
	_ = conn.Close()
}

// refusedUpload reports whether the server has ended an upload, with err, whose client still sends.
func (t *transfer) refusedUpload(err error) bool {
	return t.kind == kindUpload && err != nil && t.stopped() == nil && !socket.IsBroken(err) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// setConn makes the data connection the transfer's, so that abort interrupts it. It returns why the transfer was
// aborted, if it was.
func (t *transfer) setConn(conn *net.TCPConn) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn = conn
	return t.aborted
}

// extendDeadline allows the data connection to stand still for another while. It returns why the
// transfer was aborted, if it was.
func (t *transfer) extendDeadline() error {
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

// capDeadline bounds every later deadline; the zero time removes the bound.
func (t *transfer) capDeadline(limit time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limit = limit
}

// setReadDeadline bounds the reads after the last write. It returns why the transfer was aborted, if it was.
func (t *transfer) setReadDeadline(limit time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil {
		return t.aborted
	}
	return t.conn.SetReadDeadline(limit)
}

// moved counts octets that were moved, and waits for as long as they take at the rate that the
// transfer may have. It returns why the transfer was aborted, if it was while it waited.
func (t *transfer) moved(n int64) error {
	t.bytes.Add(n)
	t.observer.Moved(t.kind.direction(), n)
	return t.flow.Pay(t.ctx, n)
}

// abort interrupts the transfer wherever it is. The first cause counts.
func (t *transfer) abort(cause error) {
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

// stopped returns why the transfer was aborted, or nil.
func (t *transfer) stopped() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.aborted
}

// fail makes err, if it is one, what the transfer failed with, whatever happens to it from now on: that the
// client leaves is no cause of what came before. It returns the data connection, or nil.
func (t *transfer) fail(err error) *net.TCPConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = t.failed || err != nil && t.aborted == nil
	return t.conn
}

// snapshot is how far a transfer is at a moment.
type snapshot struct {
	took    time.Duration // since its command
	bytes   int64         // octets moved on the wire
	rate    int64         // octets a second, of late
	average int64         // octets a second, since its command
	port    int           // the server's end of the data connection; 0 if there was none
	tls     bool          // the data connection is encrypted
}

// snapshot describes the transfer at a moment.
func (t *transfer) snapshot(now time.Time) snapshot {
	n := t.bytes.Load()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := snapshot{
		took: now.Sub(t.started), bytes: n, tls: t.tls != nil,
		rate: t.pace.rate(mark{now, n}, t.started), average: rateOf(n, now.Sub(t.started)),
	}
	if t.conn != nil {
		s.port = int(socket.AddrPort(t.conn.LocalAddr()).Port())
	}
	return s
}
