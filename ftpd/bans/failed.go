package bans

import (
	"slices"
	"time"

	"github.com/ftp-operator/ftp-operator/internal/keyed"
)

// maxRemembered bounds the failed logins of a subject that are remembered, at 56 bytes each. Who
// fails with more than these goes through a list of passwords.
const maxRemembered = 64

// failed are the user names and passwords with which a subject failed to log in, the one of the
// longest ago first.
type failed []attempt

type attempt struct {
	tried keyed.Digest
	last  time.Time
}

// seen reports whether the subject failed with the same before, less than a window ago, and
// remembers it as the newest. It remembers no more than most.
func (f *failed) seen(tried keyed.Digest, now time.Time, window time.Duration, most int) bool {
	known := false
	kept := slices.DeleteFunc(*f, func(a attempt) bool {
		current := now.Sub(a.last) < window
		same := a.tried == tried
		known = known || same && current
		return same || !current
	})
	if over := len(kept) + 1 - most; over > 0 {
		kept = slices.Delete(kept, 0, over)
	}
	kept = append(kept, attempt{tried, now})
	*f = kept
	return known
}
