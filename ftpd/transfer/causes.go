package transfer

import "errors"

var ErrKicked = errors.New("the server's operator has ended the session")

// ErrPanicked is the error of what has panicked.
var ErrPanicked = errors.New("internal error")

const TextPanicked = "Internal error of the server, which was logged; connect again."

// Why a session ends, or its transfer.
var (
	ErrShutdown = errors.New("the server is shutting down")
	ErrRevoked  = errors.New("the account was removed or changed")
	ErrAborted  = errors.New("aborted by ABOR")
	ErrLost     = errors.New("the control connection was lost")
)
