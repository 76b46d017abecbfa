package controllers

import (
	"context"
	"fmt"
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/caches"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/memory"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
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
// the latest after memory.Slow, the interval of a server for which nothing is in progress: the cause of the error may be
// fixed at any time without any event.
func (o SetupOptions) controller() controller.Options {
	const soon = 5 * time.Millisecond
	return controller.Options{
		MaxConcurrentReconciles: o.MaxConcurrent,
		ReconciliationTimeout:   o.Timeout,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](soon, memory.Slow),
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
	b := ctrl.NewControllerManagedBy(mgr).Named(o.Name).
		For(&v1alpha1.FtpServer{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(bySlice), changed()).
		Watches(&corev1.Pod{}, ofLabel, builder.WithPredicates(podChanged())).
		Watches(&corev1.PersistentVolumeClaim{}, handler.EnqueueRequestsFromMapFunc(r.byLabelOrIndex(indexClaim)), changed()).
		WatchesMetadata(&appsv1.ReplicaSet{}, ofLabel, builder.WithPredicates(ownerChanged())).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.byLabelOrIndex(indexSecret)), changed()).
		WithOptions(o.controller())
	for _, kind := range children.Kinds {
		switch {
		case kind.Kind == children.KindSecret: // watched by its metadata, like the Secrets that specs name
		case kind.IgnoreStatus:
			b = b.Watches(kind.New(), ofLabel, builder.WithPredicates(specChanged()))
		default:
			b = b.Watches(kind.New(), ofLabel, changed())
		}
	}
	c, err := b.Build(r)
	if err != nil {
		return fmt.Errorf("setting up the FtpServer controller: %w", err)
	}
	if err := c.Watch(r.hasher.Source()); err != nil {
		return fmt.Errorf("setting up the hashing of passwords: %w", err)
	}
	slices, err := caches.ForeignSlices(mgr, o.Namespaces)
	if err == nil {
		err = mgr.Add(slices)
	}
	if err == nil {
		err = c.Watch(foreignSliceSource(slices))
	}
	if err != nil {
		return fmt.Errorf("setting up the cache of EndpointSlices that are not ours: %w", err)
	}
	r.foreignSlices = slices
	r.nodes.Allowed = o.NodesAllowed
	r.nodes.Start = func() error { return c.Watch(r.nodeSource(mgr.GetCache())) }

	r.others.ServerNamespaces = o.Namespaces
	if !o.ServicesAllowed {
		r.others.ServiceNamespaces = o.Namespaces
	}
	services, err := caches.Services(mgr, r.others.ServiceNamespaces)
	if err == nil {
		err = mgr.Add(services)
	}
	if err != nil {
		return fmt.Errorf("setting up the cache of Services: %w", err)
	}
	r.others.Cached = services
	r.others.Start = func() error { return c.Watch(r.serviceSource(services)) }
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

// foreignSliceSource enqueues the server whose Service a slice belongs to that is not ours.
func foreignSliceSource(c cache.Cache) source.Source {
	return source.Kind(c, sliceMetadata(), handler.TypedEnqueueRequestsFromMapFunc(
		func(_ context.Context, m *metav1.PartialObjectMetadata) []reconcile.Request { return ofService(m) }),
		predicate.TypedResourceVersionChangedPredicate[*metav1.PartialObjectMetadata]{})
}

// ofService returns the server of the Service that a slice names; the two have the same name.
func ofService(slice client.Object) []reconcile.Request {
	service := slice.GetLabels()[discoveryv1.LabelServiceName]
	if service == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: slice.GetNamespace(), Name: service}}}
}

// bySlice returns the servers that a labelled slice belongs to, by both of its labels.
func bySlice(ctx context.Context, slice client.Object) []reconcile.Request {
	return append(byLabel(ctx, slice), ofService(slice)...)
}

// nodeSource enqueues the servers that need a node's address when a node changes.
func (r *Reconciler) nodeSource(c cache.Cache) source.Source {
	return source.Kind(c, &corev1.Node{}, handler.TypedEnqueueRequestsFromMapFunc(
		func(context.Context, *corev1.Node) []reconcile.Request { return r.interests.InNodes() }), nodeChanged())
}

// serviceSource enqueues the servers whose ports a Service takes or has given up.
func (r *Reconciler) serviceSource(c cache.Cache) source.Source {
	return source.Kind(c, &corev1.Service{}, handler.TypedEnqueueRequestsFromMapFunc(
		func(_ context.Context, s *corev1.Service) []reconcile.Request {
			return r.interests.InService(portrange.ServiceOf(s))
		}), servicePortsChanged())
}

// servicePortsChanged passes updates that change a Service's ports, and drops those of its status and its backends.
func servicePortsChanged() predicate.TypedPredicate[*corev1.Service] {
	return predicate.TypedFuncs[*corev1.Service]{UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Service]) bool {
		return !reflect.DeepEqual(portrange.ServiceOf(e.ObjectOld), portrange.ServiceOf(e.ObjectNew))
	}}
}

// changed passes every event except updates without a change, which a resync of the cache sends.
func changed() builder.WatchesOption {
	return builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})
}

// updates passes an update only if differs returns true for it.
func updates[T client.Object](differs func(before, after T) bool) predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok1 := e.ObjectOld.(T)
		after, ok2 := e.ObjectNew.(T)
		return !ok1 || !ok2 || differs(before, after)
	}}
}

// specChanged passes an update if a client wrote to the object. Updates of the status, which the object's own
// controller writes, do not matter.
func specChanged() predicate.Predicate {
	return updates(func(before, after client.Object) bool {
		return before.GetGeneration() != after.GetGeneration() ||
			!equality.Semantic.DeepEqual(before.GetLabels(), after.GetLabels()) ||
			!equality.Semantic.DeepEqual(before.GetAnnotations(), after.GetAnnotations()) ||
			!equality.Semantic.DeepEqual(before.GetOwnerReferences(), after.GetOwnerReferences())
	})
}

// podChanged passes updates that change a pod's ports, its routing or its entry in the status. The timestamps of its
// conditions, which probes renew, do not count.
func podChanged() predicate.Predicate {
	return updates(func(before, after *corev1.Pod) bool {
		return !equality.Semantic.DeepEqual(podEssence(before), podEssence(after))
	})
}

func podEssence(p *corev1.Pod) *corev1.Pod {
	e := &corev1.Pod{}
	e.Labels, e.Annotations, e.OwnerReferences = p.Labels, p.Annotations, p.OwnerReferences
	e.DeletionTimestamp = p.DeletionTimestamp
	e.Spec = p.Spec
	e.Status = corev1.PodStatus{Phase: p.Status.Phase, PodIP: p.Status.PodIP, PodIPs: p.Status.PodIPs}
	for _, c := range p.Status.Conditions {
		e.Status.Conditions = append(e.Status.Conditions, corev1.PodCondition{
			Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message,
		})
	}
	for _, c := range p.Status.ContainerStatuses {
		e.Status.ContainerStatuses = append(e.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Ready: c.Ready, State: c.State, ContainerID: c.ContainerID,
		})
	}
	return e
}

// ownerChanged passes events of a ReplicaSet that is created, is deleted or changes its owner.
func ownerChanged() predicate.Predicate {
	return updates(func(before, after client.Object) bool {
		return !equality.Semantic.DeepEqual(before.GetOwnerReferences(), after.GetOwnerReferences())
	})
}

// nodeChanged passes updates that change a node's addresses or readiness, and drops its heartbeats.
func nodeChanged() predicate.TypedPredicate[*corev1.Node] {
	return predicate.TypedFuncs[*corev1.Node]{UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Node]) bool {
		return !equality.Semantic.DeepEqual(e.ObjectOld.Status, e.ObjectNew.Status) // slimNode has reduced the status
	}}
}
