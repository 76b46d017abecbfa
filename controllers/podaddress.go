package controllers

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// byOwnNode reports whether each pod is reached only by the address of its own node: node ports with
// externalTrafficPolicy Local. There is one replica in that case, but there are two pods while one replaces the
// other.
func (p *pass) byOwnNode() bool {
	return needsNodes(p.server) && resources.ExternalTrafficPolicy(p.asScaled()) == corev1.ServiceExternalTrafficPolicyLocal
}

// podAddress returns the address that a pod advertises for itself. The result has neither address nor reason if the
// pod advertises the server's address.
func (p *pass) podAddress(one *pod) address.Result {
	if !p.byOwnNode() || one.Spec.NodeName == "" {
		return address.Result{}
	}
	return address.OfNode(one.Spec.NodeName, p.observed.nodes, !p.nodes.allowed, one.Annotations[v1alpha1.AdvertisedAddressAnnotation])
}

// tellPorts reports whether a pod may be given its ports. A pod starts to serve once it has them, so they are written
// together with the address of its own node, which is known once the pod is bound to a node.
func (p *pass) tellPorts(one *pod) bool { return !p.byOwnNode() || one.Spec.NodeName != "" }

// findAddress finds the address that clients connect to. Where each pod is reached by its own node, this is the
// address of a node whose pod takes sessions; if there is none, of a node with any pod.
func (p *pass) findAddress() address.Result {
	pods := slices.DeleteFunc(slices.Clone(p.observed.pods), func(one pod) bool { return !one.takesSessions() })
	if len(pods) == 0 {
		pods = p.observed.pods
	}
	return p.findAddressOf(pods)
}

// findConfigured finds the address in the configuration, which is for pods that do not know their own: daemons older
// than the annotation for it. Where each pod is reached by its own node, it is the address of the oldest pod's node,
// since the sessions of a pod that drains go on.
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

// findAddressOf finds the server's address. As far as the address comes from nodes, only those of the given pods
// count.
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
