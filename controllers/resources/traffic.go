package resources

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// ServiceType returns spec.service.type, which is LoadBalancer by default.
func ServiceType(server *v1alpha1.FtpServer) corev1.ServiceType {
	if t := server.Spec.Service.Type; t != "" {
		return t
	}
	return corev1.ServiceTypeLoadBalancer
}

// ServicePort returns the Service's control port: spec.service.port, which is 21 by default.
func ServicePort(server *v1alpha1.FtpServer) int32 {
	if p := server.Spec.Service.Port; p != 0 {
		return p
	}
	return 21
}

// ExternalTrafficPolicy returns the Service's externalTrafficPolicy: the declared one, or else Local for one replica,
// which preserves the clients' addresses, and Cluster for more. With Local and several replicas, a node that runs one
// pod also receives connections to the ports of the other pods and drops them. The result is empty for type
// ClusterIP, which has no such policy.
func ExternalTrafficPolicy(server *v1alpha1.FtpServer) corev1.ServiceExternalTrafficPolicy {
	switch {
	case ServiceType(server) == corev1.ServiceTypeClusterIP:
		return ""
	case server.Spec.Service.ExternalTrafficPolicy != "":
		return server.Spec.Service.ExternalTrafficPolicy
	case Replicas(server) > 1:
		return corev1.ServiceExternalTrafficPolicyCluster
	}
	return corev1.ServiceExternalTrafficPolicyLocal
}

// RealClientAddresses reports whether the daemon sees its clients' own addresses. It does with policy Local, and for
// pods that dial a cluster IP. It does not behind a load balancer that terminates the clients' connections and opens
// its own: one with ipMode Proxy, or one whose annotations request that.
func RealClientAddresses(server *v1alpha1.FtpServer, ingress []corev1.LoadBalancerIngress) bool {
	return !endsConnections(server, ingress) && ExternalTrafficPolicy(server) != corev1.ServiceExternalTrafficPolicyCluster
}

func endsConnections(server *v1alpha1.FtpServer, ingress []corev1.LoadBalancerIngress) bool {
	if ServiceType(server) != corev1.ServiceTypeLoadBalancer {
		return false
	}
	return loadbalancer.HidesClients(server.Spec.Service.Annotations) ||
		slices.ContainsFunc(ingress, func(i corev1.LoadBalancerIngress) bool {
			return i.IPMode != nil && *i.IPMode == corev1.LoadBalancerIPModeProxy
		})
}

// PeerCheck returns which addresses may open a data connection: only the control connection's address if addresses
// are real or a proxy reports them; any address if source NAT may give one client two of them.
//
// PeerCheck is about addresses alone. A required resumption of TLS sessions identifies the client of a data
// connection as reliably, but does not make two addresses of one client equal.
func PeerCheck(server *v1alpha1.FtpServer, ingress []corev1.LoadBalancerIngress) config.PeerCheck {
	if server.Spec.Service.ProxyProtocol != nil || RealClientAddresses(server, ingress) {
		return config.PeerCheckStrict
	}
	return config.PeerCheckRelaxed
}

// sourceRanges returns spec.service.loadBalancerSourceRanges without the bits beyond the prefix length, which newer
// API servers refuse. An entry that is not a network is kept, so that the API server refuses it.
func sourceRanges(server *v1alpha1.FtpServer) []string {
	var ranges []string
	for _, text := range server.Spec.Service.LoadBalancerSourceRanges {
		cidr := strings.TrimSpace(text)
		if prefix, err := netip.ParsePrefix(cidr); err == nil {
			cidr = prefix.Masked().String()
		}
		ranges = append(ranges, cidr)
	}
	return ranges
}
