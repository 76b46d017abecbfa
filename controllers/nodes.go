package controllers

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// nodeAccess watches nodes if the operator may read them.
type nodeAccess struct {
	lazyWatch
	allowed bool

	providerMu   sync.Mutex
	provider     string    // a node's provider ID; empty until one was found
	providerNext time.Time // the time of the next search
}

// nodeSource enqueues the servers that need a node's address when a node changes.
func (r *Reconciler) nodeSource(c cache.Cache) source.Source {
	return source.Kind(c, &corev1.Node{}, handler.TypedEnqueueRequestsFromMapFunc(
		func(context.Context, *corev1.Node) []reconcile.Request { return r.interests.inNodes() }), nodeChanged())
}

// needsNodes reports whether the server's address must come from a node.
func needsNodes(server *v1alpha1.FtpServer) bool {
	return resources.ServiceType(server) == corev1.ServiceTypeNodePort && server.Spec.Passive.AdvertisedAddress == ""
}
