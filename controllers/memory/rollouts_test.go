package memory

import (
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestRollouts(t *testing.T) {
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	p := NewRollouts()
	seen := status.Observed{ConfigHash: "new", Pods: []status.Pod{{Name: "a", Running: true, Daemon: &config.Status{ConfigHash: "old"}}}}
	at := func(seconds int) time.Duration { return p.Next("u", seen, now.Add(time.Duration(seconds)*time.Second)) }

	if got := at(0); got != time.Second {
		t.Errorf("first look after %s", got)
	}
	if p.Touch("u", "a") != "" {
		t.Error("touched at once")
	}
	if got := at(5); got > time.Second || p.Touch("u", "a") != "new.1" {
		t.Errorf("after 5 s: wait %s, touch %q", got, p.Touch("u", "a"))
	}
	at(14)
	if p.Touch("u", "a") != "new.1" {
		t.Error("touched again too soon")
	}
	at(15)
	if p.Touch("u", "a") != "new.2" {
		t.Errorf("after 15 s: touch %q", p.Touch("u", "a"))
	}
	if got := at(100); got > Slow {
		t.Errorf("late: %s", got)
	}
	at(101)
	if got := at(102); got < 20*time.Second || got > Slow {
		t.Errorf("does not back off: %s", got)
	}
	seen.ConfigHash = "newer"
	if got := at(103); got != time.Second || p.Touch("u", "a") != "" {
		t.Errorf("a newer configuration: wait %s, touch %q", got, p.Touch("u", "a"))
	}
	seen.Pods[0].Daemon.ConfigHash = "newer"
	if got := at(104); got != Slow || p.Touch("u", "a") != "" {
		t.Errorf("loaded: wait %s, touch %q", got, p.Touch("u", "a"))
	}
	seen.Pods[0].Daemon = nil
	if got := at(105); got != recheck {
		t.Errorf("out of reach: wait %s", got)
	}
	if len(p.pods) != 0 {
		t.Error("something is remembered of a server that rests")
	}
}
