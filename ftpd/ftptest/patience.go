package ftptest

import (
	"testing"
	"time"
)

// Patience returns the time that a test waits for what must happen: half of the time until the deadline of the test
// binary (go test -timeout), or 5 minutes if there is no deadline. So a slow machine fails no test, and a wait in
// vain fails only the test that waits, not the whole binary.
func Patience(t testing.TB) time.Duration {
	if bounded, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := bounded.Deadline(); ok {
			return time.Until(deadline) / 2
		}
	}
	return 5 * time.Minute
}

// Deadline returns the time at which Patience has run out.
func Deadline(t testing.TB) time.Time { return time.Now().Add(Patience(t)) }
