package socket

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// IsTransient reports whether an error of accept may pass, so that accepting may work again later.
func IsTransient(err error) bool {
	for _, errno := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.ECONNABORTED, unix.EINTR} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// IsBroken reports whether err is an error of the connection. (With splice, such an error comes as one of the file.)
func IsBroken(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT, syscall.ENETUNREACH, syscall.EHOSTUNREACH} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
