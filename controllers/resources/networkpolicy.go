package resources

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// NetworkPolicyEnabled returns spec.networkPolicy.enabled, which is true by default.
func NetworkPolicyEnabled(server *v1alpha1.FtpServer) bool {
	return server.Spec.NetworkPolicy.Enabled == nil || *server.Spec.NetworkPolicy.Enabled
}

// NetworkPolicy returns the NetworkPolicy of the pods; nil if spec.networkPolicy.enabled is false. It allows
// connections to the control ports, to exactly the exposed passive ports, and, from the operator and from scrapers of
// metrics, to the admin port. (A kubelet can always reach its own pods for the probes.) It allows no outgoing
// connections except for active mode and for resolving a host name; replies are always allowed.
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
			WithIngress(fromClients(in), toAdmin(in)).
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

// clientPeers limits the clients to spec.networkPolicy.allowedNetworks, or else to
// spec.service.loadBalancerSourceRanges; nil means no limit. The daemons themselves enforce the allowed networks,
// too.
//
// Behind a proxy a policy sees only the proxy's address, so the limit is left to the daemons, which learn the
// clients' addresses. If a load balancer is found to hide the clients (ipMode Proxy), the allowed networks stay in
// the policy: what was found out never opens what was declared closed.
//
// The load balancer and kube-proxy enforce the source ranges for connections to the load balancer's address. The
// policy also covers connections to node ports, but only where clients keep their own addresses: under source NAT it
// would see the nodes' addresses and refuse all clients. The source ranges do not apply to clients in the cluster,
// whose connections do not come through the load balancer.
func clientPeers(in Inputs) []*networkingac.NetworkPolicyPeerApplyConfiguration {
	server := in.Server
	switch {
	case server.Spec.Service.ProxyProtocol != nil:
		return nil
	case len(server.Spec.NetworkPolicy.AllowedNetworks) > 0:
		return allowedBlocks(server)
	}
	ranges := sourceRanges(server)
	if len(ranges) == 0 ||
		ServiceType(server) != corev1.ServiceTypeLoadBalancer ||
		!RealClientAddresses(server, in.ServiceIngress) {
		return nil
	}
	var peers []*networkingac.NetworkPolicyPeerApplyConfiguration
	for _, cidr := range ranges {
		peers = append(peers, policyBlock(cidr))
	}
	return append(peers, networkingac.NetworkPolicyPeer().WithNamespaceSelector(metaac.LabelSelector()))
}

// allowedBlocks returns the peers of spec.networkPolicy.allowedNetworks.
func allowedBlocks(server *v1alpha1.FtpServer) []*networkingac.NetworkPolicyPeerApplyConfiguration {
	var peers []*networkingac.NetworkPolicyPeerApplyConfiguration
	for _, network := range networks(server.Spec.NetworkPolicy.AllowedNetworks) {
		peers = append(peers, policyBlock(network.String()))
	}
	return peers
}

func policyBlock(cidr string) *networkingac.NetworkPolicyPeerApplyConfiguration {
	return networkingac.NetworkPolicyPeer().WithIPBlock(networkingac.IPBlock().WithCIDR(cidr))
}

// toAdmin allows connections to the admin port from the operator and from spec.networkPolicy.metricsFrom.
func toAdmin(in Inputs) *networkingac.NetworkPolicyIngressRuleApplyConfiguration {
	rule := networkingac.NetworkPolicyIngressRule().
		WithPorts(policyPort(corev1.ProtocolTCP, AdminPort, AdminPort)).
		WithFrom(networkingac.NetworkPolicyPeer().
			WithNamespaceSelector(metaac.LabelSelector().
				WithMatchLabels(map[string]string{corev1.LabelMetadataName: in.Operator.Namespace})).
			WithPodSelector(metaac.LabelSelector().WithMatchLabels(in.Operator.PodLabels)))
	for _, from := range in.Server.Spec.NetworkPolicy.MetricsFrom {
		peer := networkingac.NetworkPolicyPeer()
		if from.NamespaceSelector != nil {
			peer.WithNamespaceSelector(labelSelector(from.NamespaceSelector))
		}
		if from.PodSelector != nil {
			peer.WithPodSelector(labelSelector(from.PodSelector))
		}
		rule.WithFrom(peer)
	}
	return rule
}

func labelSelector(selector *metav1.LabelSelector) *metaac.LabelSelectorApplyConfiguration {
	out := metaac.LabelSelector().WithMatchLabels(selector.MatchLabels)
	for _, e := range selector.MatchExpressions {
		out.WithMatchExpressions(metaac.LabelSelectorRequirement().
			WithKey(e.Key).WithOperator(e.Operator).WithValues(e.Values...))
	}
	return out
}

func egress(in Inputs) []*networkingac.NetworkPolicyEgressRuleApplyConfiguration {
	var rules []*networkingac.NetworkPolicyEgressRuleApplyConfiguration
	if in.Server.Spec.Active.Enabled {
		// The daemon dials any high port that a client names (RFC 2577 forbids the low ones). It dials no host except
		// clients, and those come from allowed networks only.
		rules = append(rules, networkingac.NetworkPolicyEgressRule().
			WithPorts(policyPort(corev1.ProtocolTCP, 1024, 65535)).
			WithTo(allowedBlocks(in.Server)...))
	}
	if needsDNS(in) {
		rule := networkingac.NetworkPolicyEgressRule()
		for _, port := range dnsPorts {
			rule.WithPorts(policyPort(corev1.ProtocolUDP, port, port), policyPort(corev1.ProtocolTCP, port, port))
		}
		rules = append(rules, rule)
	}
	return rules
}

// dnsPorts are the ports of DNS servers. A policy sees a packet after the Service's address has been translated, so
// the port of the DNS pods counts, which on OpenShift is 5353.
var dnsPorts = []int32{53, 5353}

// needsDNS reports whether the daemon must resolve an address that it advertises.
func needsDNS(in Inputs) bool {
	return IsHostName(in.AdvertisedAddress) ||
		slices.ContainsFunc(in.Server.Spec.Passive.Overrides, func(o v1alpha1.AddressOverride) bool { return IsHostName(o.Address) })
}

// IsHostName reports whether an address, as the API accepts it, is a host name.
func IsHostName(address string) bool {
	_, err := netip.ParseAddr(address)
	return address != "" && err != nil
}

// policyPort returns a range of ports that includes both first and last.
func policyPort(protocol corev1.Protocol, first, last int32) *networkingac.NetworkPolicyPortApplyConfiguration {
	port := networkingac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(first))
	if last > first {
		port.WithEndPort(last)
	}
	return port
}
