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

// Result says how a transfer ended.
type Result struct {
	Code   int    // code of the reply that ends the transfer
	Text   string // text of that reply
	Err    error  // nil if the transfer succeeded
	Ending observe.TransferResult
}

// outcome is one way in which a transfer can fail.
type outcome struct {
	// matches reports whether an error belongs to this outcome.
	matches func(error) bool
	// ending is the outcome as metrics name it.
	ending observe.TransferResult
	// keeps says that the client or its connection ended the transfer, not the storage or a decision about the user.
	// The part of an upload that has arrived is then worth keeping.
	keeps bool
	code  int
	// text is the text of the reply. {error} stands for the error and {timeout} for the timeout of the data
	// connection.
	text string
	// err, if not nil, replaces the error in the reply and in the log.
	err error
}

const (
	textAborted = "Transfer aborted: {error}."
	textStorage = "Transfer aborted: the server could not read or write the file."
	textBroken  = "Transfer aborted: the data connection failed."
)

// outcomes lists all ways in which a transfer can fail. The first that matches is used; the last one matches every
// error.
var outcomes = []outcome{
	{is(ErrPanicked), observe.TransferPanicked, false, 421, TextPanicked, nil},

	// The client or the server ended the transfer.
	{is(ErrAborted, ErrLost), observe.TransferAborted, true, 426, textAborted, nil},
	{is(ErrShutdown, ErrKicked), observe.TransferCut, true, 426, textAborted, nil},
	{is(ErrRevoked), observe.TransferCut, false, 426, textAborted, nil},

	// There was no data connection.
	{both(as[*connectError], is(passive.ErrExpired)), observe.TransferNoConnection, true, 425,
		"No data connection came in time; open a new one with PASV or EPSV.", nil},
	{as[*connectError], observe.TransferNoConnection, true, 425,
		"Can't open the data connection; check the address and the firewall, or use PASV or EPSV.", nil},

	// TLS on the data connection was not agreed upon (RFC 4217 section 10.2).
	{both(as[*protectError], is(ftptls.ErrNotResumed)), observe.TransferTLS, true, 522,
		"The TLS session of the control connection must be resumed on data connections. Java can't do that, curl not in TLS 1.2, and curl, PHP and Ruby not after an upload in TLS 1.3.", nil},
	{both(as[*protectError], is(ftptls.ErrOtherCertificate)), observe.TransferTLS, true, 522,
		"The certificate must be the same as on the control connection.", nil},
	{both(as[*protectError], is(os.ErrDeadlineExceeded)), observe.TransferTLS, true, 522,
		"TLS on the data connection was not agreed upon in time.", nil},
	{as[*protectError], observe.TransferTLS, true, 522, "TLS on the data connection could not be agreed upon.", nil},

	// The data, or their speed, were at fault.
	{is(errDeflateBusy), observe.TransferBusy, true, 450, textAborted, nil},
	{is(errShrunk, ftptls.ErrTruncated), observe.TransferBroken, true, 426, textAborted, nil},
	{both(is(errDeflated), is(io.ErrUnexpectedEOF)), observe.TransferBroken, true, 426, textAborted, nil},
	// Data that were expanded before the damage was found may be damaged, too.
	{is(errDeflated), observe.TransferBroken, false, 426, textAborted, nil},
	{is(os.ErrDeadlineExceeded), observe.TransferStalled, true, 426, "Transfer aborted: {error} for {timeout}.", errStalled},
	{socket.IsBroken, observe.TransferBroken, true, 426, textBroken, nil},

	// The storage failed. With sendfile its errors look like errors of the connection.
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

// is returns a function that matches errors which are any of the targets.
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

// as matches errors of type E.
func as[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// kind returns a function that matches errors of the storage of kind k.
func kind(k storage.Kind) func(error) bool {
	return func(err error) bool { return storage.Classify(err) == k }
}

// both returns a function that matches errors which both a and b match.
func both(a, b func(error) bool) func(error) bool {
	return func(err error) bool { return a(err) && b(err) }
}

// find returns the outcome of a transfer that failed with err, and the error that says why. That is the cause of the
// abort if the transfer was aborted, since err is then only a consequence of the abort.
func (t *Transfer) find(err error) (*outcome, error) {
	if cause := t.AbortCause(); cause != nil && !errors.Is(err, ErrPanicked) {
		err = cause
	}
	for i := range outcomes {
		if outcomes[i].matches(err) {
			return &outcomes[i], err
		}
	}
	panic("no outcome matches") // not reached: the last outcome matches every error
}

// outcome returns the result of a transfer that ended with err.
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
