package memory

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// TestHeldEvents: an event with a grace period is sent once, after that period, if its condition is still bad.
func TestHeldEvents(t *testing.T) {
	start := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	missing := v1alpha1.FtpServerStatus{Conditions: []metav1.Condition{{
		Type: v1alpha1.ConditionUsersReady, Status: metav1.ConditionFalse, Reason: status.ReasonPasswordMissing, Message: "no Secret",
	}}}
	event := []status.Event{{Warning: true, Reason: status.ReasonPasswordMissing, Message: "no Secret", Grace: time.Minute}}
	g := NewHeldEvents()
	if tell, next := g.Due("a", event, missing, start); len(tell) != 0 || !next.Equal(start.Add(time.Minute)) {
		t.Errorf("at first %v, again at %v", tell, next)
	}
	if tell, next := g.Due("a", nil, missing, start.Add(59*time.Second)); len(tell) != 0 || next.IsZero() {
		t.Errorf("before its time %v, again at %v", tell, next)
	}
	if tell, next := g.Due("a", nil, missing, start.Add(time.Minute)); len(tell) != 1 || tell[0].Message != "no Secret" || !next.IsZero() {
		t.Errorf("in its time %v, again at %v", tell, next)
	}
	if tell, _ := g.Due("a", nil, missing, start.Add(time.Hour)); len(tell) != 0 {
		t.Errorf("once more %v", tell)
	}
	g.Due("b", event, missing, start)
	if tell, next := g.Due("b", nil, v1alpha1.FtpServerStatus{}, start.Add(time.Minute)); len(tell) != 0 || !next.IsZero() {
		t.Errorf("for what has passed %v, again at %v", tell, next)
	}
	if len(g.held) != 0 {
		t.Errorf("holds %v", g.held)
	}
}
