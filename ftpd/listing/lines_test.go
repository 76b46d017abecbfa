package listing

import (
	"io/fs"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Within the time that Ls.spans returns, which is as long as possible, LIST shows the same line.
func TestSpansOfLs(t *testing.T) {
	t.Parallel()
	line := func(e Entry, now time.Time) string { return string(Ls{now}.Line(nil, e)) }
	rapid.Check(t, func(t *rapid.T) {
		modified := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "modified"), rapid.Int64Range(0, 1e9-1).Draw(t, "fraction"))
		near := rapid.SampledFrom([]time.Duration{-time.Hour, halfYear, 0}).Draw(t, "near")
		now := modified.Add(near + time.Duration(rapid.Int64Range(-2, 2).Draw(t, "by")))
		if rapid.Bool().Draw(t, "anywhen") {
			now = time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "now"), 0)
		}
		var info fs.FileInfo = fileInfo{1, 0o600, modified}
		e := Entry{Name: "x", Info: info}
		since, until := Ls{now}.spans(info)
		if now.Before(since) || now.After(until) {
			t.Fatalf("%v is not within %v and %v", now, since, until)
		}
		for _, at := range []time.Time{since, until} {
			if got, want := line(e, at), line(e, now); got != want {
				t.Errorf("at %v %q, at %v %q", at, got, now, want)
			}
		}
		for _, at := range []time.Time{since.Add(-1), until.Add(1)} {
			if at.Before(distantPast) || at.After(distantFuture) {
				continue
			}
			if got := line(e, at); got == line(e, now) {
				t.Errorf("at %v %q still, which is after %v to %v", at, got, since, until)
			}
		}
	})
}
