// Package address finds the address that PASV replies name, and reports where it came from. It is pure: it does not
// resolve host names, which the daemon does.
package address

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons for an address that is not known yet, or that is known with a warning. They are reasons of
// the AddressResolved condition.
const (
	// ReasonLoadBalancerPending means that the load balancer has not reported an address yet.
	ReasonLoadBalancerPending = "LoadBalancerPending"
	// ReasonLoadBalancerPortError means that the load balancer reports an error for one of the ports. The address may
	// be known all the same.
	ReasonLoadBalancerPortError = "LoadBalancerPortError"
	// ReasonNoNodeAddress means that no ready node that carries the traffic has an address.
	ReasonNoNodeAddress = "NoNodeAddress"
	// ReasonNodesNotReadable means that the operator may not read the nodes, which would have an address.
	ReasonNodesNotReadable = "NodesNotReadable"
	// ReasonClusterIPPending means that the Service has no cluster IP yet.
	ReasonClusterIPPending = "ClusterIPPending"
	// ReasonAddressLost means that the source of the address has none any more; the last known address stays in use.
	ReasonAddressLost = "AddressLost"
)

// Node describes a node as an entry point for type NodePort.
type Node struct {
	Name string
	// Ready is true if the node's Ready condition is true.
	Ready bool
	// HasPod is true if the node has a pod of the server by which it may be the entry point.
	HasPod bool
	// Addresses are the addresses in the node's status.
	Addresses []corev1.NodeAddress
}

// NodeOf returns the description of a Node object, without HasPod.
func NodeOf(node *corev1.Node) Node {
	n := Node{Name: node.Name, Addresses: node.Status.Addresses}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			n.Ready = c.Status == corev1.ConditionTrue
		}
	}
	return n
}

// Input is what the address is derived from.
type Input struct {
	// Spec is spec.passive.advertisedAddress: an IP address or a host name. It takes precedence; empty if not set.
	Spec string
	// ServiceType is the type of the Service, Ingress the status of its load balancer, and ClusterIPs its cluster
	// IPs.
	ServiceType corev1.ServiceType
	Ingress     []corev1.LoadBalancerIngress
	ClusterIPs  []string
	// Nodes are the cluster's nodes, needed for type NodePort only.
	Nodes []Node
	// NodesHidden is true if the operator may not read nodes.
	NodesHidden bool
	// OnlyNodesWithPod is true for externalTrafficPolicy Local, with which only nodes that run a pod accept
	// connections.
	OnlyNodesWithPod bool
	// Previous is the address that is advertised now, and PreviousSource where it came from. It stays as long as it
	// is one of the best candidates, and also while there is no candidate.
	Previous       string
	PreviousSource v1alpha1.AddressSource
}

// Result is the address, or what is missing for one.
type Result struct {
	// Address is the IP address or host name; empty while none is known.
	Address string
	// Source is where the address came from; empty while none is known.
	Source v1alpha1.AddressSource
	// Lost is true if Address is the previous address, kept because there is none at present.
	Lost bool
	// Reason and Message say what is missing while Address is empty. With an address they are a warning; both are
	// empty when all is well.
	Reason, Message string
}
