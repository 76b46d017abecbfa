package portrange

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// sharingAnnotations are the annotations by which MetalLB lets Services share an address: they must have the same
// value and different ports. The first one that is present counts.
var sharingAnnotations = []string{"metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip"}

// sharingKey returns the key under which a Service with these annotations shares its load balancer's address with
// others; empty if it does not share it.
func sharingKey(annotations map[string]string) string {
	for _, name := range sharingAnnotations {
		if key := annotations[name]; key != "" {
			return key
		}
	}
	return ""
}

// SharingAnnotations returns those of the annotations that SharingKey reads; nil if there are none.
func SharingAnnotations(annotations map[string]string) map[string]string {
	var some map[string]string
	for _, name := range sharingAnnotations {
		if key, has := annotations[name]; has {
			if some == nil {
				some = map[string]string{}
			}
			some[name] = key
		}
	}
	return some
}

// Service describes the ports of a Service that may conflict with other Services: those at the nodes, and those at an
// address that it shares.
type Service struct {
	Namespace, Name string
	// Holder names the owner for messages, as in "FtpServer team-a/files" or "Service shop/web".
	Holder string
	// NodePorts are the Service's node ports, including that of its health check.
	NodePorts config.PortSet
	// SharingKey is the sharing key of the load balancer's address, and Ports are the TCP ports that the Service has
	// at that address; both are empty if the address is not shared.
	SharingKey string
	Ports      config.PortSet
}

// ServiceOf returns the description of a Service.
func ServiceOf(s *corev1.Service) Service {
	out := Service{Namespace: s.Namespace, Name: s.Name, Holder: "Service " + s.Namespace + "/" + s.Name}
	if owner := metav1.GetControllerOf(s); owner != nil && owner.Kind == "FtpServer" {
		out.Holder = "FtpServer " + s.Namespace + "/" + owner.Name
	}
	var nodePorts, ports []uint16
	add := func(list *[]uint16, port int32) {
		if port > 0 && port <= config.MaxPassivePort {
			*list = append(*list, uint16(port))
		}
	}
	add(&nodePorts, s.Spec.HealthCheckNodePort)
	for _, p := range s.Spec.Ports {
		add(&nodePorts, p.NodePort)
		if p.Protocol == corev1.ProtocolTCP || p.Protocol == "" {
			add(&ports, p.Port)
		}
	}
	out.NodePorts = config.NewPortSet(nodePorts...)
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		if out.SharingKey = sharingKey(s.Annotations); out.SharingKey != "" {
			out.Ports = config.NewPortSet(ports...)
		}
	}
	return out
}
