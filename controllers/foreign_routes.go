package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// Every EndpointSlice that names the server's Service routes to it, whichever client created it, and one that is not
// ours routes passive ports to any pod. The cluster's controllers create such slices from a selector that a user put
// on the Service, and leave them when the selector is removed (kubernetes#91072). They also create them from an
// Endpoints object of that name.

// These are the names of the cluster's controllers of EndpointSlices, as they appear in the managed-by label of
// slices.
const (
	endpointSliceController = "endpointslice-controller.k8s.io"
	mirroringController     = "endpointslicemirroring-controller.k8s.io"
)

// foreignRoutes finds such slices. The slices that the cluster creates from a selector carry the Service's labels,
// and so are in the manager's cache. For the others, which are few in a cluster, a separate cache holds the metadata;
// watching all slices would cost memory for every Service in the cluster.
type foreignRoutes struct {
	// cached is that separate cache; nil: the slices are read from the API server.
	cached client.Reader

	mu sync.Mutex
	// live are the servers whose slices are read from the API server, each until the given time. If the labels and
	// the selector of a Service were replaced in one write, the cluster creates slices that no cache holds.
	live map[types.UID]time.Time
}

// controllersLag bounds the time in which the cluster's controllers may still act on a selector that has been
// removed.
const controllersLag = 5 * time.Minute

func newForeignRoutes() *foreignRoutes { return &foreignRoutes{live: map[types.UID]time.Time{}} }

// suspect makes the slices of a server be read live for the next controllersLag.
func (f *foreignRoutes) suspect(server types.UID, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live[server] = now.Add(controllersLag)
}

// suspected reports whether the slices of a server must be read live. The first call for a server returns true, since
// nothing is known of the time before this process.
func (f *foreignRoutes) suspected(server types.UID, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	until, known := f.live[server]
	if !known {
		f.live[server] = now
	}
	return !known || now.Before(until)
}

func (f *foreignRoutes) forget(server types.UID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.live, server)
}

// newForeignRoutesCache returns a cache of the slices of Services that neither carry the server label nor are created
// from a selector. The caller adds it to the manager, which starts it.
func newForeignRoutesCache(mgr manager.Manager, namespaces []string) (cache.Cache, error) {
	options := cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
		ByObject: map[client.Object]cache.ByObject{&discoveryv1.EndpointSlice{}: {
			Label: selecting(
				requirement(discoveryv1.LabelServiceName, selection.Exists),
				requirement(v1alpha1.ServerLabel, selection.DoesNotExist),
				requirement(discoveryv1.LabelManagedBy, selection.NotIn, endpointSliceController)),
			Transform: slimSlice,
		}},
	}
	for _, namespace := range namespaces {
		if options.DefaultNamespaces == nil {
			options.DefaultNamespaces = map[string]cache.Config{}
		}
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	return cache.New(mgr.GetConfig(), options)
}

func requirement(label string, operator selection.Operator, values ...string) labels.Requirement {
	r, err := labels.NewRequirement(label, operator, values)
	if err != nil {
		panic(err) // all arguments are constants
	}
	return *r
}

func selecting(requirements ...labels.Requirement) labels.Selector {
	return labels.NewSelector().Add(requirements...)
}

// slimSlice reduces a slice's metadata to what identifies it, the Service that it belongs to, and its manager.
func slimSlice(in any) (any, error) {
	m, ok := in.(*metav1.PartialObjectMetadata)
	if !ok {
		return in, nil
	}
	service, manager := m.Labels[discoveryv1.LabelServiceName], m.Labels[discoveryv1.LabelManagedBy]
	m.ObjectMeta = slimMeta(m.ObjectMeta)
	m.Labels = map[string]string{discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: manager}
	return m, nil
}

// foreignRouteSource enqueues the server whose Service such a slice belongs to.
func foreignRouteSource(c cache.Cache) source.Source {
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

func sliceMetadata() *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(discoveryv1.SchemeGroupVersion.WithKind(kindSlice))
	return m
}

// foreignSlices returns the metadata of the slices of the server's Service that are not ours.
func (p *pass) foreignSlices(ctx context.Context) ([]metav1.ObjectMeta, error) {
	ofOurs := client.MatchingLabels{discoveryv1.LabelServiceName: resources.ServiceName(p.server)}
	within := client.InNamespace(p.server.Namespace)
	var found []metav1.ObjectMeta
	seen := map[types.UID]bool{}
	add := func(slice client.Object, meta metav1.ObjectMeta) {
		if !seen[meta.UID] && meta.DeletionTimestamp == nil && !isOurSlice(slice, p.server) {
			seen[meta.UID] = true
			found = append(found, meta)
		}
	}
	var labelled discoveryv1.EndpointSliceList
	if err := p.Client.List(ctx, &labelled, within, ofOurs, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the EndpointSlices of Service %s/%s: %w", p.server.Namespace, resources.ServiceName(p.server), err)
	}
	for i := range labelled.Items {
		add(&labelled.Items[i], labelled.Items[i].ObjectMeta)
	}
	reader := p.routes.cached
	if reader == nil || p.routes.suspected(p.server.UID, p.Clock.Now()) {
		reader = p.Live
	}
	others := &metav1.PartialObjectMetadataList{}
	others.SetGroupVersionKind(discoveryv1.SchemeGroupVersion.WithKind(kindSlice + "List"))
	if err := reader.List(ctx, others, within, ofOurs); err != nil {
		return nil, fmt.Errorf("listing the EndpointSlices of Service %s/%s: %w", p.server.Namespace, resources.ServiceName(p.server), err)
	}
	for i := range others.Items {
		add(&others.Items[i], others.Items[i].ObjectMeta)
	}
	return found, nil
}

// dropForeignRoutes deletes the slices that the cluster created for our Service, and the Endpoints object from which
// it would create another, once the Service has no selector any more. It reports the slices that others created.
func (p *pass) dropForeignRoutes(ctx context.Context) error {
	if p.observed.serviceChild.state != ours || len(p.observed.service().Spec.Selector) > 0 {
		return nil
	}
	foreign, err := p.foreignSlices(ctx)
	if err != nil {
		return err
	}
	for i := range foreign {
		slice := &foreign[i]
		switch by := slice.Labels[discoveryv1.LabelManagedBy]; by {
		case endpointSliceController, mirroringController:
			if err := p.deleteEndpoints(ctx); err != nil { // first, or the controller mirrors it again
				return err
			}
			m := sliceMetadata()
			m.Namespace, m.Name = slice.Namespace, slice.Name
			err := p.Client.Delete(ctx, m, client.Preconditions{UID: &slice.UID})
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				return fmt.Errorf("deleting EndpointSlice %s/%s, which leads to other pods: %w", slice.Namespace, slice.Name, err)
			}
			log.FromContext(ctx).Info("deleted an EndpointSlice that the cluster made for the Service", "slice", slice.Name, "manager", by)
		default:
			p.ports.report.Foreign = append(p.ports.report.Foreign, status.ForeignSlice{Name: slice.Name, Manager: by})
		}
	}
	return nil
}

// deleteEndpoints deletes the Endpoints object with the Service's name, if there is one. Our Service has no use for
// it.
func (p *pass) deleteEndpoints(ctx context.Context) error {
	e := &metav1.PartialObjectMetadata{}
	e.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Endpoints"})
	e.Namespace, e.Name = p.server.Namespace, resources.ServiceName(p.server)
	err := p.Client.Delete(ctx, e)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting Endpoints %s/%s, which the cluster makes EndpointSlices of: %w", e.Namespace, e.Name, err)
	}
	log.FromContext(ctx).Info("deleted the Endpoints object of the Service, which leads to other pods", "endpoints", e.Name)
	return nil
}
