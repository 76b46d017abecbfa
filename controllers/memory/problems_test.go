package memory

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

// TestProblemsAreLoggedOnce: a problem is logged once, as a warning, however many passes it lasts, and its end is
// logged too.
func TestProblemsAreLoggedOnce(t *testing.T) {
	var out bytes.Buffer
	ctx := ctrl.LoggerInto(context.Background(), logr.FromSlogHandler(slog.NewJSONHandler(&out, nil)))
	type line struct{ Level, Msg, Of, Reason, Message, Problem string }
	logged := func() (lines []line) {
		t.Helper()
		for _, text := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			var l line
			if text == "" {
				continue
			}
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, l)
		}
		out.Reset()
		return lines
	}
	told := NewProblemLog()
	rejected := status.Problem{Kind: status.ProblemRejected, Object: "Service a/files", Message: strings.Repeat("x", 1<<20)}
	var bad v1alpha1.FtpServerStatus
	bad.Conditions = append(bad.Conditions, []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: "ChildRejected", Message: "y"},
		{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: "ChildRejected", Message: "y"},
		{Type: v1alpha1.ConditionUsersReady, Status: metav1.ConditionFalse, Reason: "PasswordMissing", Message: "z"},
		{Type: v1alpha1.ConditionConfigLoaded, Status: metav1.ConditionFalse, Reason: "ConfigUpdating", Message: "in a moment"},
	}...)
	for range 3 {
		told.Tell(ctx, "u", []status.Problem{rejected}, bad)
	}
	lines := logged()
	if len(lines) != 2 || lines[0].Level != "WARN" || lines[0].Of != "Service a/files" || lines[1].Reason != "PasswordMissing" {
		t.Fatalf("three passes with two problems log %d lines: %.300v", len(lines), lines)
	}
	if len(lines[0].Message) > bounded.Log {
		t.Errorf("a line of %d bytes", len(lines[0].Message))
	}
	told.Tell(ctx, "other", []status.Problem{rejected}, v1alpha1.FtpServerStatus{})
	if lines := logged(); len(lines) != 1 {
		t.Errorf("another server's problem logs %d lines", len(lines))
	}
	for range 2 {
		told.Tell(ctx, "u", nil, v1alpha1.FtpServerStatus{})
	}
	if lines := logged(); len(lines) != 2 || lines[0].Level != "INFO" {
		t.Errorf("its end logs %v", lines)
	}
	told.Tell(ctx, "u", []status.Problem{rejected}, bad)
	if lines := logged(); len(lines) != 2 {
		t.Errorf("a problem that came back logs %d lines", len(lines))
	}
	told.Forget("u")
	told.Forget("other")
	if len(told.problems) != 0 {
		t.Error("something is remembered of servers that are gone")
	}
}
