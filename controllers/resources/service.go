package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
)

// Service that clients reach. Its name is the server's. It has no selector: where each port leads
// is said by EndpointSlices.
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

// servicePorts are the control port and every exposed passive port. A passive port is the same
// everywhere, as clients dial what PASV names: port, target port and, for type NodePort, node port.
func servicePorts(in Inputs) []*coreac.ServicePortApplyConfiguration {
	serviceType := ServiceType(in.Server)
	control := coreac.ServicePort().
		WithName(ControlPortName).
		WithProtocol(corev1.ProtocolTCP).
		WithPort(ServicePort(in.Server)).
		WithTargetPort(intstr.FromInt32(ControlPort))
	chosen := in.Server.Spec.Service.NodePort
	if chosen != nil && serviceType != corev1.ServiceTypeClusterIP {
		control.WithNodePort(*chosen)
	}

	var passive []*coreac.ServicePortApplyConfiguration
	for _, port := range in.Exposed {
		p := coreac.ServicePort().
			WithName(PassivePortName(port)).
			WithProtocol(corev1.ProtocolTCP).
			WithPort(int32(port)).
			WithTargetPort(intstr.FromInt32(int32(port)))
		if serviceType == corev1.ServiceTypeNodePort {
			p.WithNodePort(int32(port))
		}
		passive = append(passive, p)
	}

	if serviceType == corev1.ServiceTypeNodePort && chosen == nil {
		// The API server hands out node ports in the order of the list. First in it, the control port
		// could be given one that a passive port asks for further down, and the Service be refused.
		return append(passive, control)
	}
	return append([]*coreac.ServicePortApplyConfiguration{control}, passive...)
}
