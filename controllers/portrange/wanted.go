package portrange

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// SharedKey returns the sharing key of the server's load balancer address; empty if the address is not shared.
func SharedKey(server *v1alpha1.FtpServer) string {
	if resources.ServiceType(server) != corev1.ServiceTypeLoadBalancer {
		return ""
	}
	return sharingKey(server.Spec.Service.Annotations)
}

// NeedsOthers reports whether the server requests ports that another Service may hold.
func NeedsOthers(server *v1alpha1.FtpServer) bool {
	return len(ControlNodePorts(server)) > 0 || SharedKey(server) != "" ||
		resources.ServiceType(server) == corev1.ServiceTypeNodePort
}

// These are the fields that request ports, as conflicts name them.
const (
	fieldRange            = "spec.passive.portRange"
	fieldCount            = "spec.passive.portCount"
	fieldPort             = "spec.service.port"
	fieldNodePort         = "spec.service.nodePort"
	fieldImplicitPort     = "spec.tls.implicit.port"
	fieldImplicitNodePort = "spec.tls.implicit.nodePort"
)

// wantedPassive returns the passive ports, with the field that declares them.
func wantedPassive(server *v1alpha1.FtpServer) Want {
	field := fieldRange
	if server.Spec.Passive.PortCount > 0 {
		field = fieldCount
	}
	return Want{Field: field, Ports: Of(server)}
}

// WantedNodePorts returns the node ports that the spec requests. For type NodePort the passive ports come first.
func WantedNodePorts(server *v1alpha1.FtpServer) []Want {
	var wanted []Want
	if resources.ServiceType(server) == corev1.ServiceTypeNodePort {
		wanted = append(wanted, wantedPassive(server))
	}
	return append(wanted, ControlNodePorts(server)...)
}

// ControlNodePorts returns the node ports that the spec requests for its control ports.
func ControlNodePorts(server *v1alpha1.FtpServer) []Want {
	if resources.ServiceType(server) == corev1.ServiceTypeClusterIP {
		return nil
	}
	var wanted []Want
	add := func(field string, port *int32) {
		if port != nil {
			wanted = append(wanted, want(field, *port))
		}
	}
	add(fieldNodePort, server.Spec.Service.NodePort)
	if implicit := resources.ImplicitTLS(server); implicit != nil {
		add(fieldImplicitNodePort, implicit.NodePort)
	}
	return wanted
}

// WantedSharedPorts returns the ports that the server needs at an address that it shares, the passive ports first;
// none if it shares no address.
func WantedSharedPorts(server *v1alpha1.FtpServer) []Want {
	if SharedKey(server) == "" {
		return nil
	}
	wanted := []Want{wantedPassive(server), want(fieldPort, resources.ServicePort(server))}
	if implicit := resources.ImplicitTLS(server); implicit != nil {
		wanted = append(wanted, want(fieldImplicitPort, implicit.Port))
	}
	return wanted
}

func want(field string, port int32) Want {
	return Want{Field: field, Ports: config.PortSet{uint16(port)}} //nolint:gosec // 1 to 65535 by the API
}
