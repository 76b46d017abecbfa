package address

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Find finds the address. It takes the first that exists of: the spec; the load balancer's IP, then its host name;
// for type NodePort a node's external IP, then an internal one; for type ClusterIP the cluster IP. Of several
// addresses of one kind it keeps the one that is advertised now, or else takes the lowest. IPv4 comes before IPv6,
// since a 227 reply can't carry IPv6 (RFC 959).
//
// While there is none, Find keeps the address that the same source gave before: pods without an address would take no
// sessions at all, and a load balancer's controller that restarts, for instance, would interrupt a service whose
// traffic it does not carry.
func Find(in Input) Result {
	if in.Spec != "" {
		return Result{Address: canonical(in.Spec), Source: v1alpha1.AddressFromSpec}
	}
	var result Result
	var sources []v1alpha1.AddressSource
	switch in.ServiceType {
	case corev1.ServiceTypeNodePort:
		result = fromNodes(in)
		sources = []v1alpha1.AddressSource{v1alpha1.AddressFromNodeExternalIP, v1alpha1.AddressFromNodeInternalIP}
	case corev1.ServiceTypeClusterIP:
		result = fromClusterIP(in)
		sources = []v1alpha1.AddressSource{v1alpha1.AddressFromClusterIP}
	default:
		result = fromLoadBalancer(in)
		sources = []v1alpha1.AddressSource{v1alpha1.AddressFromLoadBalancerIP, v1alpha1.AddressFromLoadBalancerHostname}
	}
	if result.Address == "" && in.Previous != "" && slices.Contains(sources, in.PreviousSource) {
		return Result{
			Address: in.Previous, Source: in.PreviousSource, Lost: true, Reason: ReasonAddressLost,
			Message: fmt.Sprintf("%s; %s, the last one known, is advertised on", result.Message, in.Previous),
		}
	}
	return result
}

// fromLoadBalancer prefers an IP to a host name, which must be resolved.
func fromLoadBalancer(in Input) Result {
	var ips, names []string
	for _, ingress := range in.Ingress {
		ips = append(ips, ingress.IP)
		if ingress.Hostname != "" {
			names = append(names, ingress.Hostname)
		}
	}
	result := Result{Address: bestIP(ips, in.Previous), Source: v1alpha1.AddressFromLoadBalancerIP}
	if result.Address == "" {
		result = Result{Address: best(names, in.Previous), Source: v1alpha1.AddressFromLoadBalancerHostname}
	}
	trouble := portErrors(in.Ingress)
	switch {
	case trouble != "":
		result.Reason, result.Message = ReasonLoadBalancerPortError, trouble
	case result.Address == "":
		result.Reason = ReasonLoadBalancerPending
		result.Message = "the load balancer has not given the Service an address yet: is one installed, and has it any left?"
	}
	return known(result)
}

// portErrors describes the ports that a load balancer could not open; ports with the same error are summed up.
func portErrors(ingress []corev1.LoadBalancerIngress) string {
	byError := map[string][]int32{}
	for _, i := range ingress {
		for _, p := range i.Ports {
			if p.Error != nil {
				byError[*p.Error] = append(byError[*p.Error], p.Port)
			}
		}
	}
	var parts []string
	for text, ports := range byError {
		slices.Sort(ports)
		ports = slices.Compact(ports)
		which := fmt.Sprintf("port %d", ports[0])
		if len(ports) > 1 {
			which = fmt.Sprintf("%d ports from %d on", len(ports), ports[0])
		}
		parts = append(parts, fmt.Sprintf("the load balancer reports %s for %s", text, which))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// fromNodes takes the address of a ready node through which clients can reach the node ports. An internal address is
// reachable only as far as the nodes' network extends; Result.Source says that it is one.
func fromNodes(in Input) Result {
	eligible := slices.DeleteFunc(slices.Clone(in.Nodes), func(n Node) bool {
		return !n.Ready || in.OnlyNodesWithPod && !n.HasPod
	})
	result := ofNodes(eligible, in.Previous)
	switch {
	case result.Address != "":
	case in.NodesHidden:
		result.Reason, result.Message = ReasonNodesNotReadable, messageHidden
	case in.OnlyNodesWithPod:
		result.Reason = ReasonNoNodeAddress
		result.Message = "no ready node with a pod of this server has an IP address (externalTrafficPolicy is Local)"
	default:
		result.Reason, result.Message = ReasonNoNodeAddress, "no ready node has an IP address"
	}
	return result
}

const messageHidden = "the operator may not read nodes, where it would find an address: set spec.passive.advertisedAddress"

// ofNodes returns the best address of the nodes; the result is empty and has no reason if there is none.
func ofNodes(nodes []Node, previous string) Result {
	var external, internal []string
	for _, node := range nodes {
		for _, a := range node.Addresses {
			switch a.Type {
			case corev1.NodeExternalIP:
				external = append(external, a.Address)
			case corev1.NodeInternalIP:
				internal = append(internal, a.Address)
			}
		}
	}
	result := Result{Address: bestIP(external, previous), Source: v1alpha1.AddressFromNodeExternalIP}
	if result.Address == "" {
		result = Result{Address: bestIP(internal, previous), Source: v1alpha1.AddressFromNodeInternalIP}
	}
	return known(result)
}

// ClusterIP returns the cluster IP of a Service that PASV can name: the IPv4 one if there is one of each family;
// empty while there is none.
func ClusterIP(clusterIPs []string) string { return bestIP(clusterIPs, "") }

func fromClusterIP(in Input) Result {
	result := Result{Address: bestIP(in.ClusterIPs, in.Previous), Source: v1alpha1.AddressFromClusterIP}
	if result.Address == "" {
		result.Reason, result.Message = ReasonClusterIPPending, "the Service has no cluster IP yet"
	}
	return known(result)
}

// known clears the source of a result that has no address.
func known(result Result) Result {
	if result.Address == "" {
		result.Source = ""
	}
	return result
}

// bestIP returns the previous address if it is among the candidates of the preferred family, or else the lowest
// candidate of that family. IPv4 is preferred. Candidates that are not IP addresses ("None", "") are skipped.
func bestIP(candidates []string, previous string) string {
	var ips []netip.Addr
	for _, text := range candidates {
		if ip, err := netip.ParseAddr(text); err == nil {
			ips = append(ips, ip.Unmap())
		}
	}
	if len(ips) == 0 {
		return ""
	}
	slices.SortFunc(ips, func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(a.BitLen(), b.BitLen()), a.Compare(b)) // IPv4 first
	})
	for _, ip := range ips {
		if ip.BitLen() == ips[0].BitLen() && ip.String() == previous {
			return previous
		}
	}
	return ips[0].String()
}

// best returns the previous name if it is among the candidates, or else the lowest candidate.
func best(candidates []string, previous string) string {
	switch {
	case len(candidates) == 0:
		return ""
	case slices.Contains(candidates, previous):
		return previous
	}
	return slices.Min(candidates)
}

// canonical returns an IP address in its canonical form, and a host name unchanged.
func canonical(address string) string {
	if ip, err := netip.ParseAddr(address); err == nil {
		return ip.Unmap().String()
	}
	return address
}
