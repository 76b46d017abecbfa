package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the ClientNetworksEnforced condition.
const (
	ReasonAnyNetwork       = "AnyNetwork"
	ReasonNetworksEnforced = "NetworksEnforced"
	ReasonNodePortsOpen    = "NodePortsOpen"
	ReasonClientsHidden    = "ClientsHidden"
	// ReasonForeignSourceRanges means that the Service has source ranges that the spec does not declare.
	ReasonForeignSourceRanges = "ForeignSourceRanges"
)

// ClientNetworks describes the networks that clients may connect from.
type ClientNetworks struct {
	// Allowed is true if spec.networkPolicy.allowedNetworks are declared, and Ranges if
	// spec.service.loadBalancerSourceRanges are.
	Allowed, Ranges bool
	// Foreign are the Service's loadBalancerSourceRanges if they differ from the declared ones.
	Foreign []string
	// Policy is true if there is a NetworkPolicy.
	Policy bool
	// Real is true if the pods see the clients' own addresses, and Proxied if a proxy reports those.
	Real, Proxied bool
	// NodePorts is true if the Service has node ports.
	NodePorts bool
}

// clientNetworksEnforced is True if the declared restrictions of clients' networks are effective, as far as that depends
// on the operator. It can't detect a network plugin that enforces no policies.
func clientNetworksEnforced(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionClientNetworksEnforced
	yes := func(reason, message string) metav1.Condition {
		return condition(kind, metav1.ConditionTrue, reason, message)
	}
	n := o.ClientNetworks
	switch {
	case len(n.Foreign) > 0:
		return condition(kind, metav1.ConditionFalse, ReasonForeignSourceRanges, fmt.Sprintf(
			"the Service has loadBalancerSourceRanges that somebody else wrote, and the load balancer keeps out clients from elsewhere: %s; declare them in spec.service.loadBalancerSourceRanges, or take them off: kubectl --namespace %s patch service %s --type=merge --patch='{\"spec\":{\"loadBalancerSourceRanges\":null}}'",
			list(n.Foreign), o.Server.Namespace, o.Server.Name))
	case n.Allowed && n.Proxied:
		return yes(ReasonNetworksEnforced, "the daemons, which are told the clients' addresses by the PROXY protocol, keep spec.networkPolicy.allowedNetworks")
	case n.Allowed && !n.Real:
		return condition(kind, metav1.ConditionFalse, ReasonClientsHidden,
			"spec.networkPolicy.allowedNetworks shuts everybody out, since the pods see other addresses than the clients': those of the nodes (externalTrafficPolicy Cluster, as with several replicas) or of the load balancer. Have the clients' kept, declare spec.service.proxyProtocol, or use spec.service.loadBalancerSourceRanges instead")
	case n.Allowed && n.Policy:
		return yes(ReasonNetworksEnforced, "the NetworkPolicy and the daemons keep spec.networkPolicy.allowedNetworks")
	case n.Allowed:
		return yes(ReasonNetworksEnforced, "the daemons keep spec.networkPolicy.allowedNetworks")
	case n.Ranges && n.NodePorts && (n.Proxied || !n.Real || !n.Policy):
		return condition(kind, metav1.ConditionFalse, ReasonNodePortsOpen,
			"the load balancer keeps spec.service.loadBalancerSourceRanges, but who can reach a node could dial its node ports: keep strangers from the nodes, or set spec.service.allocateLoadBalancerNodePorts to false if the load balancer does without them")
	case n.Ranges:
		return yes(ReasonNetworksEnforced, "whoever reaches the server comes by the load balancer or is kept out by the NetworkPolicy: they keep spec.service.loadBalancerSourceRanges")
	}
	return yes(ReasonAnyNetwork, "clients may connect from anywhere")
}
