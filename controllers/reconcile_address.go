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
func byOwnNode(server *v1alpha1.FtpServer, o *observed) bool {
	return resources.NeedsNodes(server) && resources.ExternalTrafficPolicy(o.asScaled(server)) == corev1.ServiceExternalTrafficPolicyLocal
}

// podAddress returns the address that a pod advertises for itself. The result has neither address nor reason if the
// pod advertises the server's address.
func podAddress(s scope, o *observed, one *pod) address.Result {
	if !byOwnNode(s.server, o) || one.Spec.NodeName == "" {
		return address.Result{}
	}
	return address.OfNode(one.Spec.NodeName, o.nodes, !s.nodes.Allowed, one.Annotations[v1alpha1.AdvertisedAddressAnnotation])
}

// mayTellPorts reports whether a pod may be given its ports. A pod starts to serve once it has them, so they are written
// together with the address of its own node, which is known once the pod is bound to a node.
func mayTellPorts(s scope, o *observed, one *pod) bool {
	return !byOwnNode(s.server, o) || one.Spec.NodeName != ""
}

// findAddress finds the address that clients connect to. Where each pod is reached by its own node, this is the
// address of a node whose pod takes sessions; if there is none, of a node with any pod.
func findAddress(s scope, o *observed) address.Result {
	pods := slices.DeleteFunc(slices.Clone(o.pods), func(one pod) bool { return !one.takesSessions() })
	if len(pods) == 0 {
		pods = o.pods
	}
	return findAddressOf(s, o, pods)
}

// findConfigured finds the address in the configuration, which is for pods that do not know their own: daemons older
// than the annotation for it. Where each pod is reached by its own node, it is the address of the oldest pod's node,
// since the sessions of a pod that drains go on. Otherwise it is the address that was found.
func findConfigured(s scope, o *observed, found address.Result) address.Result {
	if !byOwnNode(s.server, o) {
		return found
	}
	var oldest []pod
	for _, one := range o.pods {
		if one.Spec.NodeName != "" && (len(oldest) == 0 || one.CreationTimestamp.Before(&oldest[0].CreationTimestamp)) {
			oldest = []pod{one}
		}
	}
	return findAddressOf(s, o, oldest)
}

// findAddressOf finds the server's address. As far as the address comes from nodes, only those of the given pods
// count.
func findAddressOf(s scope, o *observed, pods []pod) address.Result {
	service := o.service()
	in := address.Input{
		Spec:           s.server.Spec.Passive.AdvertisedAddress,
		ServiceType:    resources.ServiceType(s.server),
		Ingress:        service.Status.LoadBalancer.Ingress,
		ClusterIPs:     service.Spec.ClusterIPs,
		Nodes:          o.nodes,
		NodesHidden:    !s.nodes.Allowed,
		Previous:       s.server.Status.AdvertisedAddress,
		PreviousSource: s.server.Status.AdvertisedAddressSource,
	}
	if byOwnNode(s.server, o) {
		in.OnlyNodesWithPod = true
		in.Nodes = slices.Clone(in.Nodes)
		for i := range in.Nodes {
			in.Nodes[i].HasPod = slices.ContainsFunc(pods, func(one pod) bool { return one.Spec.NodeName == in.Nodes[i].Name })
		}
	}
	return address.Find(in)
}
