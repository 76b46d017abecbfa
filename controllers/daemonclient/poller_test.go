package daemonclient

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestPoller(t *testing.T) {
	start := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	refused, timeout := errors.New("connection refused"), &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	first, second := &config.Status{ConfigHash: "first"}, &config.Status{ConfigHash: "second"}
	h := NewPoller(nil, nil)
	for _, step := range []struct {
		what   string
		after  time.Duration // time since the start
		report *config.Status
		err    error
		want   Answer
		silent bool
	}{
		{"a question that is lost proves nothing", 0, nil, timeout, Answer{nil, timeout, true}, false},
		{"nor a second", time.Second, nil, refused, Answer{nil, refused, true}, false},
		{"an answer", 2 * time.Second, first, nil, Answer{first, nil, false}, false},
		{"which counts while one is lost", 10 * time.Second, nil, timeout, Answer{first, timeout, true}, false},
		{"but not for ever", 10*time.Second + giveUp, nil, refused, Answer{nil, refused, false}, false},
		{"who lets us wait is left alone for a while", 20 * time.Second, nil, timeout, Answer{nil, timeout, false}, true},
		{"until it answers", 20*time.Second + silence, second, nil, Answer{second, nil, false}, false},
	} {
		now := start.Add(step.after)
		if h.silent("pod", now) != nil {
			t.Errorf("%s: it would not be asked", step.what)
		}
		if got := h.note("pod", step.report, step.err, now); got != step.want {
			t.Errorf("%s: %+v", step.what, got)
		}
		if (h.silent("pod", now.Add(silence-1)) != nil) != step.silent {
			t.Errorf("%s: silent %v", step.what, !step.silent)
		}
	}
	h.note("other", first, nil, start.Add(time.Hour))
	if len(h.pods) != 1 {
		t.Error("a pod that is gone is remembered")
	}
}
