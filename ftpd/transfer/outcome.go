package transfer

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// Result is how a transfer ended.
type Result struct {
	Code   int    // of the reply that ends it
	Text   string // of that reply
	Err    error  // nil for a success
	Ending observe.TransferResult
}

// outcome is one way in which a transfer can fail.
type outcome struct {
	// matches reports whether an error is of this way.
	matches func(error) bool
	// ending is the way as metrics name it.
	ending observe.TransferResult
	// keeps: the client or its connection ended the transfer, and not the storage or a verdict on the user, so that
	// what has come of an upload is worth keeping.
	keeps bool
	code  int
	// text is that of the reply. {error} stands for the error and {timeout} for the time-out of the data connection.
	text string
	// err replaces the error in the reply and in the log, if it is not nil.
	err error
}

const (
	textAborted = "Transfer aborted: {error}."
	textStorage = "Transfer aborted: the server could not read or write the file."
	textBroken  = "Transfer aborted: the data connection failed."
)

// outcomes are all ways in which a transfer can fail. The first that matches counts; the last one matches any error.
var outcomes = []outcome{
	{is(ErrPanicked), observe.TransferPanicked, false, 421, TextPanicked, nil},

	// The client or the server has ended it.
	{is(ErrAborted, ErrLost), observe.TransferAborted, true, 426, textAborted, nil},
	{is(ErrShutdown, ErrKicked), observe.TransferCut, true, 426, textAborted, nil},
	{is(ErrRevoked), observe.TransferCut, false, 426, textAborted, nil},

	// The data connection never came about.
	{both(as[*connectError], is(passive.ErrExpired)), observe.TransferNoConnection, true, 425,
		"No data connection came in time; open a new one with PASV or EPSV.", nil},
	{as[*connectError], observe.TransferNoConnection, true, 425,
		"Can't open the data connection; check the address and the firewall, or use PASV or EPSV.", nil},

	// TLS was not agreed upon on it (RFC 4217 section 10.2).
	{both(as[*protectError], is(ftptls.ErrNotResumed)), observe.TransferTLS, true, 522,
		"The TLS session of the control connection must be resumed on data connections. Java can't do that, curl not in TLS 1.2, and curl, PHP and Ruby not after an upload in TLS 1.3.", nil},
	{both(as[*protectError], is(ftptls.ErrOtherCertificate)), observe.TransferTLS, true, 522,
		"The certificate must be the same as on the control connection.", nil},
	{both(as[*protectError], is(os.ErrDeadlineExceeded)), observe.TransferTLS, true, 522,
		"TLS on the data connection was not agreed upon in time.", nil},
	{as[*protectError], observe.TransferTLS, true, 522, "TLS on the data connection could not be agreed upon.", nil},

	// What came over it, or how fast.
	{is(errDeflateBusy), observe.TransferBusy, true, 450, textAborted, nil},
	{is(errShrunk, ftptls.ErrTruncated), observe.TransferBroken, true, 426, textAborted, nil},
	{both(is(errDeflated), is(io.ErrUnexpectedEOF)), observe.TransferBroken, true, 426, textAborted, nil},
	// What was expanded before the damage showed may be damaged, too.
	{is(errDeflated), observe.TransferBroken, false, 426, textAborted, nil},
	{is(os.ErrDeadlineExceeded), observe.TransferStalled, true, 426, "Transfer aborted: {error} for {timeout}.", errStalled},
	{socket.IsBroken, observe.TransferBroken, true, 426, textBroken, nil},

	// The storage. With sendfile its errors come as the connection's.
	{both(is(syscall.EIO, syscall.ESTALE), as[*fs.PathError]), observe.TransferStorage, false, 451, textStorage, nil},
	{is(syscall.EIO, syscall.ESTALE), observe.TransferStorage, true, 451, textStorage, nil},
	{kind(storage.KindNoSpace), observe.TransferNoSpace, false, 452, "Transfer aborted: the disk is full.", nil},
	{kind(storage.KindQuota), observe.TransferQuota, false, 552, "Transfer aborted: the quota is full.", nil},
	{kind(storage.KindBusy), observe.TransferBusy, false, 450, "Transfer aborted: another upload has written to this file; try again later.", nil},
	{kind(storage.KindExist), observe.TransferBusy, false, 553, "Transfer aborted: the name is taken.", nil},
	{func(err error) bool { return storage.Classify(err) != storage.KindOther || as[*fs.PathError](err) },
		observe.TransferStorage, false, 451, textStorage, nil},

	{func(error) bool { return true }, observe.TransferBroken, true, 426, textBroken, nil},
}

// is matches errors that are any of the targets.
func is(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
}

// as matches errors of the type E.
func as[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// kind matches the storage's errors of a kind.
func kind(k storage.Kind) func(error) bool {
	return func(err error) bool { return storage.Classify(err) == k }
}

// both matches errors that both match.
func both(a, b func(error) bool) func(error) bool {
	return func(err error) bool { return a(err) && b(err) }
}

// find returns the way in which a transfer has failed, and the error that says why: the cause of its abort, if it was
// aborted, since what broke then is only how the abort showed.
func (t *Transfer) find(err error) (*outcome, error) {
	if cause := t.AbortCause(); cause != nil && !errors.Is(err, ErrPanicked) {
		err = cause
	}
	for i := range outcomes {
		if outcomes[i].matches(err) {
			return &outcomes[i], err
		}
	}
	panic("no outcome matches") // the last one does
}

// outcome is how the transfer ended, with err.
func (t *Transfer) outcome(err error) Result {
	if err == nil {
		return Result{Code: 226, Text: t.Done, Ending: observe.TransferOK}
	}
	o, err := t.find(err)
	if o.err != nil {
		err = o.err
	}
	text := strings.NewReplacer("{error}", err.Error(), "{timeout}", t.Timeout.String()).Replace(o.text)
	return Result{Code: o.code, Text: text, Err: err, Ending: o.ending}
}
