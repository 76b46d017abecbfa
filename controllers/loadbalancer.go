package controllers

import (
	"cmp"
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// loadBalancer collects the input for the limits of the Service's load balancer. It reads the Service as observed,
// since others may have added a class or annotations to it.
func (p *pass) loadBalancer(ctx context.Context) loadbalancer.Input {
	service := p.observed.service()
	in := loadbalancer.Input{
		Type:          resources.ServiceType(p.server),
		Annotations:   service.Annotations,
		Ingress:       service.Status.LoadBalancer.Ingress,
		ControlPorts:  1,
		PassivePorts:  len(p.plan.Exposed),
		DeclaredPorts: len(p.planInput().Range),
		SourceRanges:  service.Spec.LoadBalancerSourceRanges,
		Families:      len(service.Spec.IPFamilies),
	}
	if class := service.Spec.LoadBalancerClass; class != nil {
		in.Class = *class
	}
	if resources.ImplicitTLS(p.server) != nil {
		in.ControlPorts++
	}
	if allocate := service.Spec.AllocateLoadBalancerNodePorts; allocate != nil {
		in.NoNodePorts = !*allocate
	}
	if in.Type == corev1.ServiceTypeLoadBalancer && p.nodes.allowed {
		in.ProviderID = p.nodes.providerID(ctx, p.Live, p.Clock.Now())
	}
	return in
}

// clientNetworks collects what decides whether restrictions on the clients' networks are effective.
func (p *pass) clientNetworks() status.ClientNetworks {
	spec, service := &p.server.Spec, p.observed.service()
	n := status.ClientNetworks{
		Allowed: len(spec.NetworkPolicy.AllowedNetworks) > 0,
		Ranges:  resources.ServiceType(p.server) == corev1.ServiceTypeLoadBalancer && len(spec.Service.LoadBalancerSourceRanges) > 0,
		Policy:  resources.NetworkPolicyEnabled(p.server),
		Real:    resources.RealClientAddresses(p.asScaled(), service.Status.LoadBalancer.Ingress),
		Proxied: spec.Service.ProxyProtocol != nil,
	}
	if declared := resources.Service(p.inputs).Spec.LoadBalancerSourceRanges; !slices.Equal(service.Spec.LoadBalancerSourceRanges, declared) {
		n.Foreign = service.Spec.LoadBalancerSourceRanges
	}
	for i := range service.Spec.Ports {
		n.NodePorts = n.NodePorts || service.Spec.Ports[i].NodePort != 0
	}
	return n
}

// providerIDRecheck is the time between two searches for a provider ID while no node has one. A cloud's controller
// may set it long after the node joined, and on bare metal no node ever has one.
const providerIDRecheck = time.Minute

// providerID returns the provider ID of any node; empty if no node has one yet or nodes can't be read now. A cluster
// does not move from one cloud to another, so an ID that was found is kept, and nodes are not watched for it.
func (n *nodeAccess) providerID(ctx context.Context, reader client.Reader, now time.Time) string {
	n.providerMu.Lock()
	defer n.providerMu.Unlock()
	if n.provider != "" || now.Before(n.providerNext) {
		return n.provider
	}
	var list corev1.NodeList
	if err := reader.List(ctx, &list, client.Limit(10)); err != nil {
		log.FromContext(ctx).V(1).Info("can't read a node, to know the load balancer's limits by", "why", err.Error())
		return ""
	}
	for i := range list.Items {
		n.provider = cmp.Or(n.provider, list.Items[i].Spec.ProviderID)
	}
	n.providerNext = now.Add(providerIDRecheck)
	return n.provider
}
