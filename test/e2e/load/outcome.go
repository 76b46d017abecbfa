package load

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// Outcome is the result of a transfer.
type Outcome string

// These are the outcomes.
const (
	// Completed means that the server replied 226 and every byte is right.
	Completed Outcome = "completed"
	// Misrouted means that the port in the server's reply did not lead to the session that named it.
	Misrouted Outcome = "misrouted"
	// Cut means that the transfer started and did not finish.
	Cut Outcome = "cut"
	// Wrong means that wrong bytes were received, or only a part of the file as if it were the whole.
	Wrong Outcome = "wrong"
	// Ended means that the server ended the session before the transfer started.
	Ended Outcome = "ended before they began"
	// Failed means that the server refused the transfer for any other reason.
	Failed Outcome = "failed otherwise"
)

// Outcomes are all outcomes.
var Outcomes = []Outcome{Completed, Misrouted, Cut, Wrong, Ended, Failed}

// errWrong is the error for content that is not the file's.
var errWrong = errors.New("the content is wrong")

// outcome returns the outcome of a transfer that ended with err.
func outcome(err error) Outcome {
	var f *ftpclient.TransferError
	switch {
	case err == nil:
		return Completed
	case errors.Is(err, errWrong):
		return Wrong
	case !errors.As(err, &f):
		return Failed
	}
	switch f.Step {
	case ftpclient.AskingForPort, ftpclient.Commanding:
		// Before the 150 the server's reply decides, and the server may end the session.
		if code := replyCode(f.Err); code != 0 && code != 421 || timedOut(f.Err) {
			return Failed
		}
		return Ended
	case ftpclient.Connecting:
		return Misrouted
	}
	// Either the data connection failed and this is the server's reply about it, or the final reply was a failure.
	said := f.Reply
	if f.Step == ftpclient.Concluding {
		said = f.Err
	}
	switch {
	case said == nil && isShort(err):
		return Wrong // the server replied that this was the whole file
	case replyCode(said) == 425, timedOut(said) && came(err) == 0:
		return Misrouted // the server has not seen a data connection; it would report a broken one at once
	}
	return Cut
}

// isShort reports whether a download ended before its file did, without an error.
func isShort(err error) bool {
	var short *shortError
	return errors.As(err, &short)
}

// came returns the number of bytes that such a download received.
func came(err error) int {
	var short *shortError
	if !errors.As(err, &short) {
		return 0
	}
	return short.came
}

// replyCode returns the code of the server's reply in err; 0 if there is none.
func replyCode(err error) int {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return 0
	}
	return reply.Code
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func wrongAt(offset int) error { return fmt.Errorf("%w from byte %d on", errWrong, offset) }
