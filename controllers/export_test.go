package controllers

import (
	"context"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ftp-operator/ftp-operator/controllers/portrange"
)

// Hashed counts the hashes that the reconciler computes from now on, be it for a new hash or to verify an old one. Each
// waits until it may go on; nil: at once.
func (r *Reconciler) Hashed(goOn <-chan struct{}) *atomic.Int64 {
	var n atomic.Int64
	hash, verify := r.hashing.hash, r.hashing.verify
	count := func() {
		if goOn != nil {
			<-goOn
		}
		n.Add(1)
	}
	r.hashing.hash = func(password string) (string, error) {
		count()
		return hash(password)
	}
	r.hashing.verify = func(former, password string) (bool, error) {
		count()
		return verify(former, password)
	}
	return &n
}

// AllowNodes lets it read nodes, by which no event of one begins a pass.
func (r *Reconciler) AllowNodes() {
	r.nodes.allowed, r.nodes.start = true, func() error { return nil }
}

// RequestsOfNode are the servers that an event of a node brings.
func (r *Reconciler) RequestsOfNode() []ctrl.Request { return r.interests.inNodes() }

// RequestsOfService are the servers that an event of somebody else's Service brings.
func (r *Reconciler) RequestsOfService(s *corev1.Service) []ctrl.Request {
	return r.interests.inService(portrange.ServiceOf(s))
}

// RequestsOfSecret are the servers that an event of a Secret brings.
func (r *Reconciler) RequestsOfSecret(ctx context.Context, s *corev1.Secret) []ctrl.Request {
	return r.byLabelOrIndex(indexSecret)(ctx, s)
}
