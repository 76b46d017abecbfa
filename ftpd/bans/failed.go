package bans

import (
	"slices"
	"time"

	"github.com/ftp-operator/ftp-operator/internal/keyed"
)

// maxRemembered bounds the number of failed logins that are remembered of each subject, at 56 bytes each. A client
// that fails with more different passwords than that is going through a list of passwords.
const maxRemembered = 64

// failed holds the user names and passwords with which a subject failed to log in, the oldest first.
type failed []attempt

// attempt is a failed login. tried is the digest of its user name and password.
type attempt struct {
	tried keyed.Digest
	last  time.Time
}

// seen reports whether the subject has failed with the same user and password less than a window ago. It remembers
// the attempt as the newest one, and keeps no more attempts than most.
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
