package controllers

import (
	"context"
	"fmt"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// lazyWatch starts, at the first call of watch, a watch that most servers do not need.
type lazyWatch struct {
	// start starts the watch; nil where there is nothing to watch.
	start func() error

	mu      sync.Mutex
	started bool
}

func (w *lazyWatch) watch() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started || w.start == nil {
		return nil
	}
	if err := w.start(); err != nil {
		return err
	}
	w.started = true
	return nil
}

// MayRead asks the API server whether this client may list and watch a core resource, such as "nodes", in the whole
// cluster.
func MayRead(ctx context.Context, c client.Client, resource string) (bool, error) {
	for _, verb := range []string{"list", "watch"} {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: resource},
		}}
		if err := c.Create(ctx, review); err != nil {
			return false, fmt.Errorf("asking whether %s may be read: %w", resource, err)
		}
		if !review.Status.Allowed {
			return false, nil
		}
	}
	return true, nil
}
