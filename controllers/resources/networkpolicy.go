package resources

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// NetworkPolicyEnabled is spec.networkPolicy.enabled with its default.
func NetworkPolicyEnabled(server *v1alpha1.FtpServer) bool {
	return server.Spec.NetworkPolicy.Enabled == nil || *server.Spec.NetworkPolicy.Enabled
}

// NetworkPolicy of the pods; nil if the server declines one. In: the control ports and exactly the
// exposed passive ports, and the admin port from the operator. (A kubelet always reaches its own
// pods, for the probes.) Out: nothing, but for active mode and the resolving of a host name; replies are not meant.
func NetworkPolicy(in Inputs) *networkingac.NetworkPolicyApplyConfiguration {
	server := in.Server
	if !NetworkPolicyEnabled(server) {
		return nil
	}
	return networkingac.NetworkPolicy(NetworkPolicyName(server), server.Namespace).
		WithLabels(Labels(server)).
		WithOwnerReferences(serverOwner(server)).
		WithSpec(networkingac.NetworkPolicySpec().
			WithPodSelector(metaac.LabelSelector().WithMatchLabels(SelectorLabels(server))).
			WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
			WithIngress(fromClients(in), fromOperator(in.Operator)).
			WithEgress(egress(in)...))
}

func fromClients(in Inputs) *networkingac.NetworkPolicyIngressRuleApplyConfiguration {
	ports := []*networkingac.NetworkPolicyPortApplyConfiguration{policyPort(corev1.ProtocolTCP, ControlPort, ControlPort)}
	if ImplicitTLS(in.Server) != nil {
		ports = append(ports, policyPort(corev1.ProtocolTCP, ImplicitPort, ImplicitPort))
	}
	for _, run := range in.Exposed.Runs() {
		ports = append(ports, policyPort(corev1.ProtocolTCP, int32(run.First), int32(run.Last)))
	}
	return networkingac.NetworkPolicyIngressRule().WithPorts(ports...).WithFrom(clientPeers(in)...)
}

// clientPeers limits who may connect to spec.service.loadBalancerSourceRanges; none: anybody.
//
// The load balancer and kube-proxy keep the ranges themselves, for what comes by the load balancer's
// address. The policy adds what comes by node ports, but only where clients keep their own addresses: under
// source NAT it would see the nodes', behind a proxy the proxy's, and shut everybody out. The ranges are not about clients in the cluster,
// which don't come by the load balancer.
func clientPeers(in Inputs) []*networkingac.NetworkPolicyPeerApplyConfiguration {
	ranges := sourceRanges(in.Server)
	if len(ranges) == 0 ||
		ServiceType(in.Server) != corev1.ServiceTypeLoadBalancer ||
		in.Server.Spec.Service.ProxyProtocol != nil ||
		!realClientAddresses(in.Server, in.ServiceIngress) {
		return nil
	}
	var peers []*networkingac.NetworkPolicyPeerApplyConfiguration
	for _, cidr := range ranges {
		peers = append(peers, networkingac.NetworkPolicyPeer().WithIPBlock(networkingac.IPBlock().WithCIDR(cidr)))
	}
	return append(peers, networkingac.NetworkPolicyPeer().WithNamespaceSelector(metaac.LabelSelector()))
}

func fromOperator(operator Operator) *networkingac.NetworkPolicyIngressRuleApplyConfiguration {
	return networkingac.NetworkPolicyIngressRule().
		WithPorts(policyPort(corev1.ProtocolTCP, AdminPort, AdminPort)).
		WithFrom(networkingac.NetworkPolicyPeer().
			WithNamespaceSelector(metaac.LabelSelector().
				WithMatchLabels(map[string]string{corev1.LabelMetadataName: operator.Namespace})).
			WithPodSelector(metaac.LabelSelector().WithMatchLabels(operator.PodLabels)))
}

func egress(in Inputs) []*networkingac.NetworkPolicyEgressRuleApplyConfiguration {
	var rules []*networkingac.NetworkPolicyEgressRuleApplyConfiguration
	if in.Server.Spec.Active.Enabled {
		// The daemon dials whatever high port a client names (RFC 2577 forbids the low ones).
		rules = append(rules, networkingac.NetworkPolicyEgressRule().
			WithPorts(policyPort(corev1.ProtocolTCP, 1024, 65535)))
	}
	if needsDNS(in) {
		rules = append(rules, networkingac.NetworkPolicyEgressRule().
			WithPorts(policyPort(corev1.ProtocolUDP, 53, 53), policyPort(corev1.ProtocolTCP, 53, 53)))
	}
	return rules
}

// needsDNS reports whether the daemon must resolve what it advertises.
func needsDNS(in Inputs) bool {
	return IsHostName(in.AdvertisedAddress) ||
		slices.ContainsFunc(in.Server.Spec.Passive.Overrides, func(o v1alpha1.AddressOverride) bool { return IsHostName(o.Address) })
}

// IsHostName reports whether an address, as the API takes it, is a host name.
func IsHostName(address string) bool {
	_, err := netip.ParseAddr(address)
	return address != "" && err != nil
}

// policyPort is a range of ports, both ends inclusive.
func policyPort(protocol corev1.Protocol, first, last int32) *networkingac.NetworkPolicyPortApplyConfiguration {
	port := networkingac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(first))
	if last > first {
		port.WithEndPort(last)
	}
	return port
}
