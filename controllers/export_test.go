package controllers

import (
	"context"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ftp-operator/ftp-operator/controllers/portrange"
)

// Hashed counts the hashes that the reconciler computes from now on, both new hashes and verifications of old ones.
// Each computation first receives from goOn, unless goOn is nil.
func (r *Reconciler) Hashed(goOn <-chan struct{}) *atomic.Int64 {
	var n atomic.Int64
	hash, verify := r.hasher.Hash, r.hasher.Verify
	count := func() {
		if goOn != nil {
			<-goOn
		}
		n.Add(1)
	}
	r.hasher.Hash = func(password string) (string, error) {
		count()
		return hash(password)
	}
	r.hasher.Verify = func(former, password string) (bool, error) {
		count()
		return verify(former, password)
	}
	return &n
}

// AllowNodes allows the reconciler to read nodes, without a watch that would start passes.
func (r *Reconciler) AllowNodes() {
	r.nodes.Allowed, r.nodes.Start = true, func() error { return nil }
}

// RequestsOfNode returns the servers that an event of a node enqueues.
func (r *Reconciler) RequestsOfNode() []ctrl.Request { return r.interests.InNodes() }

// RequestsOfService returns the servers that an event of another owner's Service enqueues.
func (r *Reconciler) RequestsOfService(s *corev1.Service) []ctrl.Request {
	return r.interests.InService(portrange.ServiceOf(s))
}

// RequestsOfSecret returns the servers that an event of a Secret enqueues.
func (r *Reconciler) RequestsOfSecret(ctx context.Context, s *corev1.Secret) []ctrl.Request {
	return r.byLabelOrIndex(indexSecret)(ctx, s)
}
