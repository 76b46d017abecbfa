package bans

import (
	"testing"
	"time"
	"unsafe"
)

// setClock returns the time t as it reads after the machine's clock was set by whole seconds. The wall clock reads
// otherwise; the monotonic clock, by which package time compares times, goes on.
func setClock(t *testing.T, now time.Time, by time.Duration) time.Time {
	t.Helper()
	set := now
	*(*uint64)(unsafe.Pointer(&set)) += uint64(by/time.Second) << 30 //nolint:gosec // time.Time's seconds
	if set.Sub(now) != 0 || set.Round(0).Sub(now.Round(0)) != by {
		t.Skip("NOT TESTED: package time keeps its readings otherwise than this test knows")
	}
	return set
}

// A ban lasts for its duration, even if the machine's clock is set meanwhile.
func TestClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{-24 * 365 * time.Hour, -time.Hour, time.Hour, 24 * 365 * time.Hour} {
		began := time.Now()
		now := began
		l := New(func() time.Time { return now })
		l.Set(rules(3), nil)
		who := Address(addr("192.0.2.1"))
		l.Report(who, FailedLogin)
		now = setClock(t, began.Add(time.Second), by)
		l.Report(who, FailedLogin)
		now = setClock(t, began.Add(2*time.Second), -by)
		if _, begun := l.Report(who, FailedLogin); !begun {
			t.Errorf("set by %v: three failures within three seconds are no ban", by)
		}
		for after, want := range map[time.Duration]bool{3 * time.Second: true, 61 * time.Second: true, 63 * time.Second: false} {
			now = setClock(t, began.Add(after), by)
			if _, banned := l.Banned(who); banned != want {
				t.Errorf("set by %v: after %v banned is %v", by, after, banned)
			}
		}
	}
}
