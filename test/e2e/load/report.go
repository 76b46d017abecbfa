package load

import (
	"fmt"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// Report is the result of a load.
type Report struct {
	Sessions []Session
	Elapsed  time.Duration
}

// Session is one session.
type Session struct {
	ID, Client int
	TLS        bool
	// Refusals are the failed attempts to connect and log in before the one that succeeded (or before the load was
	// cancelled), and RefusedFor is the time from the first of them to the success.
	Refusals   []Refusal
	RefusedFor time.Duration
	// Transfers are in order. The first is an upload.
	Transfers []Transfer
}

// Refusal is a failed attempt to connect and log in.
type Refusal struct {
	Began time.Time
	Err   error
}

// Transfer is an attempted transfer.
type Transfer struct {
	Upload bool
	Path   string
	Mode   ftpclient.Mode
	// Address is the address in the server's reply; empty if there was none.
	Address string
	Bytes   int
	Began   time.Time
	Took    time.Duration
	Outcome Outcome
	Err     error
}

// Summary is the counts of a report.
type Summary struct {
	Sessions int
	// Refused is the number of sessions whose first attempt to connect and log in failed, RefusedAgain the number of
	// those whose second attempt failed, too, and LongestRefusal the longest time until success.
	Refused, RefusedAgain int
	LongestRefusal        time.Duration
	Transfers             int
	Outcomes              map[Outcome]int
	Bytes                 int64
	LongestTransfer       time.Duration
}

// Summary returns the counts of the whole load.
func (r *Report) Summary() Summary {
	sum := Summary{Sessions: len(r.Sessions), Outcomes: map[Outcome]int{}}
	for i := range r.Sessions {
		s := &r.Sessions[i]
		if len(s.Refusals) > 0 {
			sum.Refused++
			sum.LongestRefusal = max(sum.LongestRefusal, s.RefusedFor)
		}
		if len(s.Refusals) > 1 {
			sum.RefusedAgain++
		}
		for j := range s.Transfers {
			t := &s.Transfers[j]
			sum.Transfers++
			sum.Outcomes[t.Outcome]++
			sum.LongestTransfer = max(sum.LongestTransfer, t.Took)
			if t.Outcome == Completed {
				sum.Bytes += int64(t.Bytes)
			}
		}
	}
	return sum
}

// String returns the summary as one line.
func (s Summary) String() string {
	var outcomes []string
	for _, o := range Outcomes {
		outcomes = append(outcomes, fmt.Sprintf("%d %s", s.Outcomes[o], o))
	}
	return fmt.Sprintf("%d sessions (%d refused at first, %d also at the second try, the longest for %v); %d transfers: %s; %d MiB, the longest transfer took %v",
		s.Sessions, s.Refused, s.RefusedAgain, s.LongestRefusal.Round(time.Millisecond),
		s.Transfers, strings.Join(outcomes, ", "), s.Bytes>>20, s.LongestTransfer.Round(time.Millisecond))
}

// clock is the format of times, for comparison with the logs of a cluster.
const clock = "15:04:05.000"

// Failures describes what did not complete and what was refused, in at most that many lines. What Config.Unreachable returns
// may add some.
func (r *Report) Failures(most int) string {
	var lines []string
	add := func(format string, args ...any) {
		if len(lines) < most {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	for i := range r.Sessions {
		s := &r.Sessions[i]
		for _, r := range s.Refusals {
			add("%s session %d (TLS %v) refused: %v", r.Began.Format(clock), s.ID, s.TLS, r.Err)
		}
		for j := range s.Transfers {
			if t := &s.Transfers[j]; t.Outcome != Completed {
				add("%s session %d (TLS %v), %s by %s at %s after %v: %s: %v",
					t.Began.Format(clock), s.ID, s.TLS, t.Path, t.Mode, t.Address, t.Took.Round(time.Millisecond), t.Outcome, t.Err)
			}
		}
	}
	return strings.Join(lines, "\n")
}
