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

// ServiceType is spec.service.type with its default.
func ServiceType(server *v1alpha1.FtpServer) corev1.ServiceType {
	if t := server.Spec.Service.Type; t != "" {
		return t
	}
	return corev1.ServiceTypeLoadBalancer
}

// ServicePort is the Service's control port: spec.service.port with its default.
func ServicePort(server *v1alpha1.FtpServer) int32 {
	if p := server.Spec.Service.Port; p != 0 {
		return p
	}
	return 21
}

// ExternalTrafficPolicy is the Service's: as declared, else Local for one replica, which keeps the
// clients' addresses, and Cluster for more, since under Local a node that runs one pod is sent the
// other pods' ports too and drops them. Empty for type ClusterIP, which has none.
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

// RealClientAddresses reports whether the daemon sees its clients' own addresses: under policy Local,
// and from pods that dial a cluster IP, but not through a load balancer that ends the
// clients' connections and makes its own (ipMode Proxy), nor through one whose annotations ask for that.
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

// PeerCheck is who may open a data connection: only the control connection's own address where
// addresses are real or a proxy tells them; anybody where source NAT may give one client two of them.
//
// It is about addresses alone: that TLS sessions have to be resumed tells whose a data connection is
// as surely, but makes two addresses of one client no more alike.
func PeerCheck(server *v1alpha1.FtpServer, ingress []corev1.LoadBalancerIngress) config.PeerCheck {
	if server.Spec.Service.ProxyProtocol != nil || RealClientAddresses(server, ingress) {
		return config.PeerCheckStrict
	}
	return config.PeerCheckRelaxed
}

// sourceRanges are spec.service.loadBalancerSourceRanges without the bits beyond their prefix
// length, which newer API servers refuse. What is no network stays, for the API server to refuse.
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
