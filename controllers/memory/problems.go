package memory

import (
	"context"
	"log/slog"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

// ProblemLog remembers which problems of a server are in the log, so that each is logged once and not in every pass, and is
// logged again if it comes back. After a restart each is logged once more.
type ProblemLog struct {
	mu       sync.Mutex
	problems map[types.UID]map[string]bool // by server's UID: object and reason
}

// NewProblemLog returns a ProblemLog that knows nothing yet.
func NewProblemLog() *ProblemLog { return &ProblemLog{problems: map[types.UID]map[string]bool{}} }

// Tell logs new problems as warnings, and logs when earlier ones are over.
func (t *ProblemLog) Tell(ctx context.Context, server types.UID, problems []status.Problem, after v1alpha1.FtpServerStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// logr has no level for warnings, so slog is used.
	logger := slog.New(logr.ToSlogHandler(log.FromContext(ctx)))
	before, now := t.problems[server], map[string]bool{}
	say := func(what, reason, message string) {
		key := what + " " + reason
		if !before[key] && !now[key] {
			logger.Warn("problem", "of", what, "reason", reason, "message", bounded.Text(message, bounded.Log))
		}
		now[key] = true
	}
	reasons := map[string]bool{}
	for _, p := range problems {
		say(p.Object, string(p.Kind), p.Message)
		reasons[string(p.Kind)] = true
	}
	for _, c := range status.Bad(after) {
		if sum := c.Type == v1alpha1.ConditionReady || c.Type == v1alpha1.ConditionStalled; sum && reasons[c.Reason] {
			continue // the condition sums up problems that are logged already
		}
		say(c.Type, c.Reason, c.Message)
		reasons[c.Reason] = true
	}
	for key := range before {
		if !now[key] {
			logger.Info("problem is over", "problem", key)
		}
	}
	if len(now) == 0 {
		delete(t.problems, server)
		return
	}
	t.problems[server] = now
}

// Forget drops everything about a server that is gone.
func (t *ProblemLog) Forget(server types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.problems, server)
}
