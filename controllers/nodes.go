package controllers

import (
	"context"
	"fmt"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// nodeAccess begins to watch nodes when the first server needs one's address, and not before.
type nodeAccess struct {
	allowed bool
	start   func() error

	mu      sync.Mutex
	started bool

	providerMu sync.Mutex
	provider   *string // once known
}

func (n *nodeAccess) watch() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.started {
		return nil
	}
	if err := n.start(); err != nil {
		return err
	}
	n.started = true
	return nil
}

// nodeSource brings the servers that need a node's address when one's changes.
func (r *Reconciler) nodeSource(c cache.Cache) source.Source {
	return source.Kind(c, &corev1.Node{}, handler.TypedEnqueueRequestsFromMapFunc(
		func(ctx context.Context, _ *corev1.Node) []reconcile.Request {
			var servers v1alpha1.FtpServerList
			if err := r.Client.List(ctx, &servers); err != nil {
				return nil
			}
			var requests []reconcile.Request
			for i := range servers.Items {
				if p := (&pass{Reconciler: r, server: &servers.Items[i]}); p.needsNodes() {
					requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(p.server)})
				}
			}
			return requests
		}), nodeChanged())
}

// MayReadNodes asks the API server whether this client may list and watch nodes.
func MayReadNodes(ctx context.Context, c client.Client) (bool, error) {
	for _, verb := range []string{"list", "watch"} {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: "nodes"},
		}}
		if err := c.Create(ctx, review); err != nil {
			return false, fmt.Errorf("asking whether nodes may be read: %w", err)
		}
		if !review.Status.Allowed {
			return false, nil
		}
	}
	return true, nil
}

// needsNodes reports whether the address must come from a node.
func (p *pass) needsNodes() bool {
	return resources.ServiceType(p.server) == corev1.ServiceTypeNodePort && p.server.Spec.Passive.AdvertisedAddress == ""
}
