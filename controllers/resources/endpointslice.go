package resources

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	discoveryac "k8s.io/client-go/applyconfigurations/discovery/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// EndpointSlices returns the EndpointSlices of one pod, with the control ports and the pod's own passive ports. There
// is one for each address family that the Service has, and none while the pod has no address. The slice of the pod's
// primary address has the pod's name. The owner of the slices is the pod, so they must be watched by label.
//
// For a pod that is warming up only the passive ports are published: new sessions are routed to it once all nodes have
// had the time to learn the routes of its data connections.
//
// A draining pod is not ready, serving and terminating. Routing is by port: the control port is routed to the pods
// that are ready, while a passive port, which no other pod has, is still routed to the draining pod.
func EndpointSlices(in Inputs, pod PodRoute) []*discoveryac.EndpointSliceApplyConfiguration {
	var slicesOfPod []*discoveryac.EndpointSliceApplyConfiguration
	seen := map[discoveryv1.AddressType]bool{}
	for i, text := range pod.IPs {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			continue // a kubelet never reports such an address
		}
		ip = ip.Unmap()
		family := addressType(ip)
		wanted := i == 0
		if len(in.ServiceIPFamilies) > 0 {
			wanted = slices.Contains(in.ServiceIPFamilies, corev1.IPFamily(family))
		}
		if !wanted || seen[family] {
			continue
		}
		seen[family] = true
		name := pod.Name
		if i > 0 {
			name += "-" + strings.ToLower(string(family))
		}
		slicesOfPod = append(slicesOfPod, endpointSlice(in, pod, name, ip))
	}
	return slicesOfPod
}

func endpointSlice(in Inputs, pod PodRoute, name string, ip netip.Addr) *discoveryac.EndpointSliceApplyConfiguration {
	endpoint := discoveryac.Endpoint().
		WithAddresses(ip.String()).
		WithConditions(EndpointConditions(pod)).
		WithTargetRef(coreac.ObjectReference().
			WithKind("Pod").
			WithNamespace(pod.Namespace).
			WithName(pod.Name).
			WithUID(types.UID(pod.UID)))
	if pod.Node != "" {
		endpoint.WithNodeName(pod.Node)
	}
	if pod.Zone != "" {
		endpoint.WithZone(pod.Zone)
	}

	var ports []*discoveryac.EndpointPortApplyConfiguration
	if !pod.WarmingUp {
		ports = append(ports, endpointPort(ControlPortName, ControlPort))
		if ImplicitTLS(in.Server) != nil {
			ports = append(ports, endpointPort(ImplicitPortName, ImplicitPort))
		}
	}
	for _, port := range pod.Ports {
		ports = append(ports, endpointPort(PassivePortName(port), int32(port)))
	}

	labels := Labels(in.Server)
	labels[discoveryv1.LabelServiceName] = ServiceName(in.Server)
	labels[discoveryv1.LabelManagedBy] = v1alpha1.SliceManager
	return discoveryac.EndpointSlice(name, pod.Namespace).
		WithLabels(labels).
		WithOwnerReferences(podOwner(pod)).
		WithAddressType(addressType(ip)).
		WithEndpoints(endpoint).
		WithPorts(ports...)
}

// EndpointConditions returns the endpoint conditions of a pod.
func EndpointConditions(pod PodRoute) *discoveryac.EndpointConditionsApplyConfiguration {
	return discoveryac.EndpointConditions().
		WithReady(pod.Ready && !pod.Terminating).
		WithServing(pod.Serving).
		WithTerminating(pod.Terminating)
}

func endpointPort(name string, port int32) *discoveryac.EndpointPortApplyConfiguration {
	return discoveryac.EndpointPort().WithName(name).WithPort(port).WithProtocol(corev1.ProtocolTCP)
}

func addressType(ip netip.Addr) discoveryv1.AddressType {
	if ip.Is4() {
		return discoveryv1.AddressTypeIPv4
	}
	return discoveryv1.AddressTypeIPv6
}
