package caches

import (
	"cmp"
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Nodes watches nodes if the operator may read them.
type Nodes struct {
	Lazy
	// Allowed is true if nodes may be listed and watched.
	Allowed bool

	providerMu   sync.Mutex
	provider     string    // a node's provider ID; empty until one was found
	providerNext time.Time // the time of the next search
}

// providerIDRecheck is the time between two searches for a provider ID while no node has one. A cloud's controller
// may set it long after the node joined, and on bare metal no node ever has one.
const providerIDRecheck = time.Minute

// ProviderID returns the provider ID of any node; empty if no node has one yet or nodes can't be read now. A cluster
// does not move from one cloud to another, so an ID that was found is kept, and nodes are not watched for it.
func (n *Nodes) ProviderID(ctx context.Context, reader client.Reader, now time.Time) string {
	n.providerMu.Lock()
	defer n.providerMu.Unlock()
	if n.provider != "" || now.Before(n.providerNext) {
		return n.provider
	}
	var list corev1.NodeList
	if err := reader.List(ctx, &list, client.Limit(10)); err != nil {
		log.FromContext(ctx).V(1).Info("can't read a node, to know the load balancer's limits by", "why", err.Error())
		return ""
	}
	for i := range list.Items {
		n.provider = cmp.Or(n.provider, list.Items[i].Spec.ProviderID)
	}
	n.providerNext = now.Add(providerIDRecheck)
	return n.provider
}
