package caches

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/ftp-operator/ftp-operator/controllers/portrange"
)

// ExposingServices selects the Services, of any owner, that have node ports or may share an address: their ports may
// conflict with those of other Services.
var ExposingServices = fields.ParseSelectorOrDie("spec.type!=ClusterIP,spec.type!=ExternalName")

// Services returns a cache of these Services, which holds nothing until the first read or watch. The caller adds it to
// the manager, which starts it.
func Services(mgr manager.Manager, namespaces []string) (cache.Cache, error) {
	return cache.New(mgr.GetConfig(), within(namespaces, cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
		ByObject: map[client.Object]cache.ByObject{&corev1.Service{}: {Field: ExposingServices, Transform: slimService}},
	}))
}

// OtherServices are the Services, of any owner, that have node ports or may share an address. They have a cache of
// their own, which holds nothing until the first server needs it.
type OtherServices struct {
	Lazy
	// Cached is that cache; nil: the Services are read from the API server.
	Cached client.Reader
	// ServiceNamespaces and ServerNamespaces are the namespaces in which Services and FtpServers may be read; none
	// means all.
	ServiceNamespaces, ServerNamespaces []string
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
