package ftptest

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen: half of the time that is left until the
// deadline of the test binary (go test -timeout). So a machine's speed fails no test, and a wait in vain
// fails the test that waits instead of the whole binary. It is 5 minutes if there is no deadline.
func Patience(t testing.TB) time.Duration {
	if bounded, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := bounded.Deadline(); ok {
			return time.Until(deadline) / 2
		}
	}
	return 5 * time.Minute
}

// Deadline is when Patience has run out.
func Deadline(t testing.TB) time.Time { return time.Now().Add(Patience(t)) }
