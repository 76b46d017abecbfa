// Package address finds the address that PASV replies name, and says where it came from. It is
// pure; names are not resolved here, the daemon does that.
package address

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Reasons for an address that is not known yet, or known but troubled. They are reasons of the
// AddressResolved condition.
const (
	// ReasonLoadBalancerPending: the load balancer has not reported an address yet.
	ReasonLoadBalancerPending = "LoadBalancerPending"
	// ReasonLoadBalancerPortError: the load balancer reports an error for one of the ports. The
	// address may be known all the same.
	ReasonLoadBalancerPortError = "LoadBalancerPortError"
	// ReasonNoNodeAddress: no ready node that carries the traffic has an address.
	ReasonNoNodeAddress = "NoNodeAddress"
	// ReasonNodesNotReadable: the operator may not read nodes, where it would find an address.
	ReasonNodesNotReadable = "NodesNotReadable"
	// ReasonClusterIPPending: the Service has no cluster IP yet.
	ReasonClusterIPPending = "ClusterIPPending"
	// ReasonAddressLost: what gave the address gives none any more; the last one serves on.
	ReasonAddressLost = "AddressLost"
)

// Node is a node as an entry point for type NodePort.
type Node struct {
	Name string
	// Ready is the node's Ready condition.
	Ready bool
	// HasPod is true if a pod of the server is bound to the node that may be the entry point.
	HasPod bool
	// Addresses are those of the node's status.
	Addresses []corev1.NodeAddress
}

// NodeOf is the projection of a Node object, without HasPod.
func NodeOf(node *corev1.Node) Node {
	n := Node{Name: node.Name, Addresses: node.Status.Addresses}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			n.Ready = c.Status == corev1.ConditionTrue
		}
	}
	return n
}

// Input is what the address is found from.
type Input struct {
	// Spec is spec.passive.advertisedAddress: an IP address or a host name; it wins.
	Spec string
	// ServiceType, Ingress and ClusterIPs are those of the Service.
	ServiceType corev1.ServiceType
	Ingress     []corev1.LoadBalancerIngress
	ClusterIPs  []string
	// Nodes are the cluster's, needed for type NodePort only.
	Nodes []Node
	// NodesHidden is true if the operator may not read nodes.
	NodesHidden bool
	// OnlyNodesWithPod is true for externalTrafficPolicy Local, under which only the nodes that
	// run a pod answer.
	OnlyNodesWithPod bool
	// Previous is the address that is advertised now, and PreviousSource where it came from: it
	// stays as long as it is among the best, and also while there is none.
	Previous       string
	PreviousSource v1alpha1.AddressSource
}

// Result is the address, or what is awaited.
type Result struct {
	// Address is the IP address or host name; empty while none is known.
	Address string
	// Source says where it came from; empty while none is known.
	Source v1alpha1.AddressSource
	// Lost is true for the previous address, kept since there is none at present.
	Lost bool
	// Reason and Message say what is awaited while Address is empty. Beside an address they are
	// a warning; both are empty when all is well.
	Reason, Message string
}
