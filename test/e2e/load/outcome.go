package load

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"

	"github.com/ftp-operator/ftp-operator/test/e2e/ftpclient"
)

// Outcome is what became of a transfer.
type Outcome string

// The outcomes.
const (
	// Completed: acknowledged by 226, and every byte is right.
	Completed Outcome = "completed"
	// Misrouted: the port that the server named did not lead to the session that named it.
	Misrouted Outcome = "misrouted"
	// Cut: it had begun, and did not come to its end.
	Cut Outcome = "cut"
	// Wrong: bytes came that are not the file's, or a part of it only, as if it were the whole.
	Wrong Outcome = "wrong"
	// Ended: the server ended the session before the transfer began.
	Ended Outcome = "ended before they began"
	// Failed: the server refused it for any other reason.
	Failed Outcome = "failed otherwise"
)

// Outcomes are all.
var Outcomes = []Outcome{Completed, Misrouted, Cut, Wrong, Ended, Failed}

// errWrong is content that is not the file's.
var errWrong = errors.New("the content is wrong")

// outcome of a transfer that ended with err.
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
		// Before the 150: what the server says goes, and it may say goodbye.
		if code := replyCode(f.Err); code != 0 && code != 421 || timedOut(f.Err) {
			return Failed
		}
		return Ended
	case ftpclient.Connecting:
		return Misrouted
	}
	// The data connection failed and this is what the server says of it, or its last word failed.
	said := f.Reply
	if f.Step == ftpclient.Concluding {
		said = f.Err
	}
	switch {
	case said == nil && isShort(err):
		return Wrong // the server says that this was all
	case replyCode(said) == 425, timedOut(said) && came(err) == 0:
		return Misrouted // it has not seen a data connection; a broken one it reports at once
	}
	return Cut
}

// isShort reports whether a download ended before its file did, without an error.
func isShort(err error) bool {
	var short *shortError
	return errors.As(err, &short)
}

// came is how much of such a download came.
func came(err error) int {
	var short *shortError
	if !errors.As(err, &short) {
		return 0
	}
	return short.came
}

// replyCode is the server's reply in err; 0 if there is none.
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
