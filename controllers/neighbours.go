package controllers

import (
	"context"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// neighbours are the Services, of any owner, that have node ports or may share an address. They have a cache of their
// own, which holds nothing until the first server needs it.
type neighbours struct {
	lazyWatch
	// cached is that cache; nil: the Services are read from the API server.
	cached client.Reader
	// serviceNamespaces and serverNamespaces are the namespaces in which Services and FtpServers may be read; none
	// means all.
	serviceNamespaces, serverNamespaces []string
}

// exposing selects the Services whose ports may conflict with those of other Services.
var exposing = fields.ParseSelectorOrDie("spec.type!=ClusterIP,spec.type!=ExternalName")

// newNeighboursCache returns the cache of these Services. The caller adds it to the manager, which starts it.
func newNeighboursCache(mgr manager.Manager, namespaces []string) (cache.Cache, error) {
	options := cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
		ByObject: map[client.Object]cache.ByObject{&corev1.Service{}: {Field: exposing, Transform: slimService}},
	}
	for _, namespace := range namespaces {
		if options.DefaultNamespaces == nil {
			options.DefaultNamespaces = map[string]cache.Config{}
		}
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	return cache.New(mgr.GetConfig(), options)
}

// slimService reduces a Service to its identity, its owner and its ports.
func slimService(in any) (any, error) {
	s, ok := in.(*corev1.Service)
	if !ok {
		return in, nil
	}
	slim := &corev1.Service{TypeMeta: s.TypeMeta, ObjectMeta: slimMeta(s.ObjectMeta)}
	slim.Annotations = portrange.SharingAnnotations(s.Annotations)
	slim.Spec.Type = s.Spec.Type
	slim.Spec.HealthCheckNodePort = s.Spec.HealthCheckNodePort
	for _, port := range s.Spec.Ports {
		slim.Spec.Ports = append(slim.Spec.Ports, corev1.ServicePort{Port: port.Port, NodePort: port.NodePort, Protocol: port.Protocol})
	}
	return slim, nil
}

// neighbourSource enqueues the servers whose ports a Service takes or has given up.
func (r *Reconciler) neighbourSource(c cache.Cache) source.Source {
	return source.Kind(c, &corev1.Service{}, handler.TypedEnqueueRequestsFromMapFunc(
		func(_ context.Context, s *corev1.Service) []reconcile.Request {
			return r.interests.inService(portrange.ServiceOf(s))
		}), neighbourChanged())
}

// neighbourChanged passes updates that change a Service's ports, and drops those of its status and its backends.
func neighbourChanged() predicate.TypedPredicate[*corev1.Service] {
	return predicate.TypedFuncs[*corev1.Service]{UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Service]) bool {
		return !reflect.DeepEqual(portrange.ServiceOf(e.ObjectOld), portrange.ServiceOf(e.ObjectNew))
	}}
}

func isOwn(server *v1alpha1.FtpServer, s portrange.Service) bool {
	return s.Namespace == server.Namespace && s.Name == resources.ServiceName(server)
}

// observeNeighbours reads the Services of other owners if they may matter to the server.
func (p *pass) observeNeighbours(ctx context.Context) ([]portrange.Service, error) {
	if !needsNeighbours(p.server) {
		return nil, nil
	}
	if err := p.neighbours.watch(); err != nil {
		return nil, fmt.Errorf("watching Services, which may hold ports that FtpServer %s/%s needs: %w", p.server.Namespace, p.server.Name, err)
	}
	if p.neighbours.cached == nil {
		return p.liveNeighbours(ctx)
	}
	var list corev1.ServiceList
	if err := p.neighbours.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing Services, which may hold ports that FtpServer %s/%s needs: %w", p.server.Namespace, p.server.Name, err)
	}
	return p.others(nil, list.Items), nil
}

// liveNeighbours reads these Services from the API server.
func (p *pass) liveNeighbours(ctx context.Context) ([]portrange.Service, error) {
	var others []portrange.Service
	for _, namespace := range scopes(p.neighbours.serviceNamespaces) {
		var list corev1.ServiceList
		if err := p.Live.List(ctx, &list, client.InNamespace(namespace), client.MatchingFieldsSelector{Selector: exposing}); err != nil {
			return nil, fmt.Errorf("listing Services, which may hold ports that FtpServer %s/%s needs: %w", p.server.Namespace, p.server.Name, err)
		}
		others = p.others(others, list.Items)
	}
	return others, nil
}

// others appends those Services of the list that are not the server's own.
func (p *pass) others(to []portrange.Service, list []corev1.Service) []portrange.Service {
	for i := range list {
		if s := portrange.ServiceOf(&list[i]); !isOwn(p.server, s) {
			to = append(to, s)
		}
	}
	return to
}

// liveServers reads all other FtpServers from the API server.
func (p *pass) liveServers(ctx context.Context) ([]v1alpha1.FtpServer, error) {
	var others []v1alpha1.FtpServer
	for _, namespace := range scopes(p.neighbours.serverNamespaces) {
		var list v1alpha1.FtpServerList
		if err := p.Live.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("listing FtpServers, whose passive ports must not be chosen again: %w", err)
		}
		for i := range list.Items {
			if list.Items[i].UID != p.server.UID {
				others = append(others, list.Items[i])
			}
		}
	}
	return others, nil
}

// scopes returns the namespaces to list one by one; "" is the whole cluster.
func scopes(namespaces []string) []string {
	if len(namespaces) == 0 {
		return []string{""}
	}
	return namespaces
}
