package socket_test

import (
	"errors"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// The loop pauses longer after each failure, recovers, and ends with its listener.
func TestAcceptLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		results := []error{syscall.EMFILE, syscall.EMFILE, syscall.EMFILE, nil, syscall.ENOMEM, net.ErrClosed}
		var pauses []time.Duration
		var firsts []bool
		recovered := 0
		loop := socket.AcceptLoop{
			Accept: func() error {
				err := results[0]
				results = results[1:]
				return err
			},
			Ended: func(err error) bool { return errors.Is(err, net.ErrClosed) },
			Failed: func(_ error, first bool, pause time.Duration) {
				firsts, pauses = append(firsts, first), append(pauses, pause)
			},
			Recovered: func() { recovered++ },
		}
		if err := loop.Run(); !errors.Is(err, net.ErrClosed) || recovered != 1 {
			t.Errorf("%v, recovered %d times", err, recovered)
		}
		ms := time.Millisecond
		if !slices.Equal(pauses, []time.Duration{5 * ms, 10 * ms, 20 * ms, 5 * ms}) || !slices.Equal(firsts, []bool{true, false, false, true}) {
			t.Errorf("pauses %v, the first ones %v", pauses, firsts)
		}
	})
}

// Done ends a pause and the loop.
func TestAcceptLoopDone(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	loop := socket.AcceptLoop{
		Accept: func() error { return syscall.EMFILE },
		Ended:  func(error) bool { return false },
		Failed: func(_ error, first bool, _ time.Duration) {
			if first {
				close(done)
			}
		},
		Done: done,
	}
	if err := loop.Run(); err != nil {
		t.Error(err)
	}
}
