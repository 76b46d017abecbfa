package transfer

import "errors"

// ErrKicked is the cause with which Server.Kick ends a session.
var ErrKicked = errors.New("the server's operator has ended the session")

// ErrPanicked is the error of a function that panicked.
var ErrPanicked = errors.New("internal error")

// TextPanicked is the text of the reply to a command, or for a transfer, that panicked.
const TextPanicked = "Internal error of the server, which was logged; connect again."

// These errors are causes: they say why a session, or its transfer, was ended.
var (
	ErrShutdown = errors.New("the server is shutting down")
	ErrRevoked  = errors.New("the account was removed or changed")
	ErrAborted  = errors.New("aborted by ABOR")
	ErrLost     = errors.New("the control connection was lost")
)
