package controllers

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// nodeAccess watches nodes, if they may be read.
type nodeAccess struct {
	lazyWatch
	allowed bool

	providerMu sync.Mutex
	provider   *string // once known
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

// needsNodes reports whether the address must come from a node.
func (p *pass) needsNodes() bool {
	return resources.ServiceType(p.server) == corev1.ServiceTypeNodePort && p.server.Spec.Passive.AdvertisedAddress == ""
}
