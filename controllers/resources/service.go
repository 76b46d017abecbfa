package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
)

// Service returns the Service that clients connect to. Its name is the server's. It has no selector: EndpointSlices
// define where each port is routed.
func Service(in Inputs) *coreac.ServiceApplyConfiguration {
	server := in.Server
	user := &server.Spec.Service
	spec := coreac.ServiceSpec().
		WithType(ServiceType(server)).
		WithPorts(servicePorts(in)...)
	if policy := ExternalTrafficPolicy(server); policy != "" {
		spec.WithExternalTrafficPolicy(policy)
	}
	if user.IPFamilyPolicy != nil {
		spec.WithIPFamilyPolicy(*user.IPFamilyPolicy)
	}
	if ServiceType(server) == corev1.ServiceTypeLoadBalancer {
		if user.LoadBalancerClass != nil {
			spec.WithLoadBalancerClass(*user.LoadBalancerClass)
		}
		if user.AllocateLoadBalancerNodePorts != nil {
			spec.WithAllocateLoadBalancerNodePorts(*user.AllocateLoadBalancerNodePorts)
		}
		spec.WithLoadBalancerSourceRanges(sourceRanges(server)...)
	}
	service := coreac.Service(ServiceName(server), server.Namespace).
		WithLabels(userLabels(server, user.Labels)).
		WithOwnerReferences(serverOwner(server)).
		WithSpec(spec)
	if annotations := userAnnotations(user.Annotations); len(annotations) > 0 {
		service.WithAnnotations(annotations)
	}
	return service
}

// servicePorts returns the control ports and every exposed passive port. A passive port has the same number
// everywhere, since clients dial the number in the PASV reply: as port, as target port and, for type NodePort, as
// node port.
func servicePorts(in Inputs) []*coreac.ServicePortApplyConfiguration {
	serviceType := ServiceType(in.Server)
	// first are the ports that name their node port, and last those that do not. The API server assigns node ports in
	// the order of the list. If it chose a port before all requested ones were assigned, it could choose one that is
	// requested later, and then refuse the Service.
	var first, last []*coreac.ServicePortApplyConfiguration
	control := func(name string, port, target int32, nodePort *int32) {
		p := servicePort(name, port, target)
		switch {
		case serviceType != corev1.ServiceTypeClusterIP && nodePort != nil:
			first = append(first, p.WithNodePort(*nodePort))
		case serviceType == corev1.ServiceTypeNodePort:
			last = append(last, p)
		default:
			first = append(first, p)
		}
	}
	control(ControlPortName, ServicePort(in.Server), ControlPort, in.Server.Spec.Service.NodePort)
	if implicit := ImplicitTLS(in.Server); implicit != nil {
		control(ImplicitPortName, implicit.Port, ImplicitPort, implicit.NodePort)
	}
	for _, port := range in.Exposed {
		p := servicePort(PassivePortName(port), int32(port), int32(port))
		if serviceType == corev1.ServiceTypeNodePort {
			p.WithNodePort(int32(port))
		}
		first = append(first, p)
	}
	return append(first, last...)
}

func servicePort(name string, port, target int32) *coreac.ServicePortApplyConfiguration {
	return coreac.ServicePort().
		WithName(name).
		WithProtocol(corev1.ProtocolTCP).
		WithPort(port).
		WithTargetPort(intstr.FromInt32(target))
}
