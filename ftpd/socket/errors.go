package socket

import (
	"errors"
	"syscall"
)

// IsTransient reports whether an error of accept may pass, so that accepting may work again later.
func IsTransient(err error) bool {
	return isAny(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR)
}

// IsBroken reports whether err is an error of the connection. (With splice, such an error comes as one of the file.)
func IsBroken(err error) bool {
	return isAny(err, syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT, syscall.ENETUNREACH, syscall.EHOSTUNREACH)
}

// isAny reports whether err is any of the system's errors.
func isAny(err error, errnos ...syscall.Errno) bool {
	for _, errno := range errnos {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
