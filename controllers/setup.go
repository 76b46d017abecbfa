package controllers

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// These are the indexes of FtpServers in the cache.
const (
	indexSecret = "secrets"
	indexClaim  = "spec.storage.persistentVolumeClaim.claimName"
)

// SetupOptions configure the controller.
type SetupOptions struct {
	// NodesAllowed is true if nodes may be listed and watched.
	NodesAllowed bool
	// ServicesAllowed is true if the Services of all namespaces may be listed and watched. Otherwise ports that
	// Services in other namespaces hold are not known until the API server refuses them.
	ServicesAllowed bool
	// Namespaces are the namespaces to which the manager's cache is limited; none means all.
	Namespaces []string
	// MaxConcurrent is the number of servers that are reconciled at once.
	MaxConcurrent int
	// Timeout bounds one reconcile.
	Timeout time.Duration
	// Name is the name of the controller, unique in the process; empty means "ftpserver".
	Name string
}

// controller returns the options of the controller. After an error a server is retried soon at first, and later at
// the latest after slow, the interval of a server for which nothing is in progress: the cause of the error may be
// fixed at any time without any event.
func (o SetupOptions) controller() controller.Options {
	const soon = 5 * time.Millisecond
	return controller.Options{
		MaxConcurrentReconciles: o.MaxConcurrent,
		ReconciliationTimeout:   o.Timeout,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](soon, slow),
	}
}

// Setup registers the reconciler and its watches with a manager.
func (r *Reconciler) Setup(ctx context.Context, mgr ctrl.Manager, o SetupOptions) error {
	if o.Name == "" {
		o.Name = "ftpserver"
	}
	for name, of := range map[string]client.IndexerFunc{indexSecret: secretNames, indexClaim: claimNames} {
		if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.FtpServer{}, name, of); err != nil {
			return fmt.Errorf("indexing FtpServers by %s: %w", name, err)
		}
	}
	ofLabel := handler.EnqueueRequestsFromMapFunc(byLabel)
	c, err := ctrl.NewControllerManagedBy(mgr).Named(o.Name).
		For(&v1alpha1.FtpServer{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&appsv1.Deployment{}, ofLabel, changed()).
		Watches(&corev1.Service{}, ofLabel, changed()).
		Watches(&networkingv1.NetworkPolicy{}, ofLabel, changed()).
		Watches(&policyv1.PodDisruptionBudget{}, ofLabel, builder.WithPredicates(specChanged())).
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(bySlice), changed()).
		Watches(&corev1.Pod{}, ofLabel, builder.WithPredicates(podChanged())).
		Watches(&corev1.PersistentVolumeClaim{}, handler.EnqueueRequestsFromMapFunc(r.byLabelOrIndex(indexClaim)), changed()).
		WatchesMetadata(&appsv1.ReplicaSet{}, ofLabel, builder.WithPredicates(ownerChanged())).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.byLabelOrIndex(indexSecret)), changed()).
		WithOptions(o.controller()).
		Build(r)
	if err != nil {
		return fmt.Errorf("setting up the FtpServer controller: %w", err)
	}
	if err := c.Watch(r.hashing.source()); err != nil {
		return fmt.Errorf("setting up the hashing of passwords: %w", err)
	}
	routes, err := newForeignRoutesCache(mgr, o.Namespaces)
	if err == nil {
		err = mgr.Add(routes)
	}
	if err == nil {
		err = c.Watch(foreignRouteSource(routes))
	}
	if err != nil {
		return fmt.Errorf("setting up the cache of EndpointSlices that are not ours: %w", err)
	}
	r.routes.cached = routes
	r.nodes.allowed = o.NodesAllowed
	r.nodes.start = func() error { return c.Watch(r.nodeSource(mgr.GetCache())) }

	r.neighbours.serverNamespaces = o.Namespaces
	if !o.ServicesAllowed {
		r.neighbours.serviceNamespaces = o.Namespaces
	}
	services, err := newNeighboursCache(mgr, r.neighbours.serviceNamespaces)
	if err == nil {
		err = mgr.Add(services)
	}
	if err != nil {
		return fmt.Errorf("setting up the cache of Services: %w", err)
	}
	r.neighbours.cached = services
	r.neighbours.start = func() error { return c.Watch(r.neighbourSource(services)) }
	return nil
}

// byLabel returns the server that a child or pod is labelled with.
func byLabel(_ context.Context, o client.Object) []reconcile.Request {
	server := o.GetLabels()[v1alpha1.ServerLabel]
	if server == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: server}}}
}

// byLabelOrIndex returns that server, and also the servers that name the object in their specs.
func (r *Reconciler) byLabelOrIndex(index string) handler.MapFunc {
	return func(ctx context.Context, o client.Object) []reconcile.Request {
		requests := byLabel(ctx, o)
		var servers v1alpha1.FtpServerList
		err := r.Client.List(ctx, &servers, client.InNamespace(o.GetNamespace()), client.MatchingFields{index: o.GetName()}, client.UnsafeDisableDeepCopy)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "can't find the FtpServers that name an object", "object", client.ObjectKeyFromObject(o))
		}
		for i := range servers.Items {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&servers.Items[i])})
		}
		return requests
	}
}

// secretNames returns the names of the Secrets that the spec names.
func secretNames(o client.Object) []string {
	server, ok := o.(*v1alpha1.FtpServer)
	if !ok {
		return nil
	}
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if name != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, user := range server.Spec.Users {
		add(user.PasswordSecretRef.Name)
	}
	if tls := server.Spec.TLS; tls != nil {
		add(tls.SecretName)
		for _, extra := range tls.ExtraCertificates {
			add(extra.SecretName)
		}
		if tls.ClientCA != nil {
			add(tls.ClientCA.SecretName)
		}
	}
	return names
}

func claimNames(o client.Object) []string {
	server, ok := o.(*v1alpha1.FtpServer)
	if !ok || resources.ClaimName(server) == "" {
		return nil
	}
	return []string{resources.ClaimName(server)}
}
