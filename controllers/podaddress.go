package controllers

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// byOwnNode reports whether each pod is reached by the address of its own node and no other: node ports
// under externalTrafficPolicy Local. There is one replica then, but two pods while one takes the other's place.
func (p *pass) byOwnNode() bool {
	return needsNodes(p.server) && resources.ExternalTrafficPolicy(p.asScaled()) == corev1.ServiceExternalTrafficPolicyLocal
}

// podAddress is the address that a pod advertises for itself; without address and reason if it advertises the
// server's.
func (p *pass) podAddress(one *pod) address.Result {
	if !p.byOwnNode() || one.Spec.NodeName == "" {
		return address.Result{}
	}
	return address.OfNode(one.Spec.NodeName, p.observed.nodes, !p.nodes.allowed, one.Annotations[v1alpha1.AdvertisedAddressAnnotation])
}

// tellPorts reports whether a pod may be told its ports. With them it begins to serve, and so they go together with
// the address of its own node, which is known once the pod is bound to one.
func (p *pass) tellPorts(one *pod) bool { return !p.byOwnNode() || one.Spec.NodeName != "" }

// findAddress finds the address that clients connect to. Where each pod is reached by its own node, it is that of a
// node whose pod takes sessions; while none does, of one with a pod.
func (p *pass) findAddress() address.Result {
	pods := slices.DeleteFunc(slices.Clone(p.observed.pods), func(one pod) bool { return !one.takesSessions() })
	if len(pods) == 0 {
		pods = p.observed.pods
	}
	return p.findAddressOf(pods)
}

// findConfigured finds the address that the configuration names, for pods that don't know their own: those of daemons
// before there was an annotation for it. Where each pod is reached by its own node, it is the oldest pod's: the
// sessions of one that drains go on.
func (p *pass) findConfigured() address.Result {
	if !p.byOwnNode() {
		return p.address
	}
	var oldest []pod
	for _, one := range p.observed.pods {
		if one.Spec.NodeName != "" && (len(oldest) == 0 || one.CreationTimestamp.Before(&oldest[0].CreationTimestamp)) {
			oldest = []pod{one}
		}
	}
	return p.findAddressOf(oldest)
}

// findAddressOf finds the server's address, as far as it comes of nodes by those of the given pods.
func (p *pass) findAddressOf(pods []pod) address.Result {
	service := p.observed.service()
	in := address.Input{
		Spec:           p.server.Spec.Passive.AdvertisedAddress,
		ServiceType:    resources.ServiceType(p.server),
		Ingress:        service.Status.LoadBalancer.Ingress,
		ClusterIPs:     service.Spec.ClusterIPs,
		Nodes:          p.observed.nodes,
		NodesHidden:    !p.nodes.allowed,
		Previous:       p.server.Status.AdvertisedAddress,
		PreviousSource: p.server.Status.AdvertisedAddressSource,
	}
	if p.byOwnNode() {
		in.OnlyNodesWithPod = true
		in.Nodes = slices.Clone(in.Nodes)
		for i := range in.Nodes {
			in.Nodes[i].HasPod = slices.ContainsFunc(pods, func(one pod) bool { return one.Spec.NodeName == in.Nodes[i].Name })
		}
	}
	return address.Find(in)
}
