package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

// replace deletes the pods that the plan replaces. They drain as in a rolling update, and the Deployment creates
// others.
func (p *pass) replace(ctx context.Context) error {
	for _, r := range p.plan.Replace {
		i := slices.IndexFunc(p.observed.pods, func(one pod) bool { return one.Name == r.Pod })
		if i < 0 || !p.observed.pods[i].chained || p.observed.deploymentChild.state != ours {
			continue // nothing would create another pod
		}
		one := p.observed.pods[i].Pod
		err := p.Client.Delete(ctx, one, client.Preconditions{UID: &one.UID})
		if gone(err) {
			return &changedError{fmt.Sprintf("Pod %s is gone", one.Name)}
		}
		if err != nil {
			return fmt.Errorf("deleting Pod %s/%s, which must be replaced (%s): %w", one.Namespace, one.Name, r.Cause, err)
		}
		p.Recorder.Eventf(p.server, one, corev1.EventTypeNormal, "Replacing", "Delete", "%s", bounded.Text(replaceMessage(r), bounded.Event))
	}
	return nil
}

func replaceMessage(r portplan.Replacement) string {
	switch r.Cause {
	case portplan.CauseConflict:
		return fmt.Sprintf("pod %s is replaced: it holds passive ports that an older pod holds too", r.Pod)
	case portplan.CauseNeverReady:
		return fmt.Sprintf("pod %s is replaced: it was never ready, and holds passive ports that are no longer declared", r.Pod)
	}
	return fmt.Sprintf("pod %s is replaced: it holds passive ports without which another pod can't start", r.Pod)
}
