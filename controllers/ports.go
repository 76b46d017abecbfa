package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// ports is what a pass decided about the server's passive ports.
type ports struct {
	// usable are the ports that pods may be assigned: the declared ones, or, if the Service can't carry those, the
	// ones that it carries now, so that what is served goes on.
	usable config.PortSet
	// blocked is true while the Service can't be brought to what is declared.
	blocked bool
	// report is what the status reports about the ports.
	report status.Ports
}

// decidePorts finds out which passive ports the server can have, and chooses them if only their number is declared.
func (p *pass) decidePorts(ctx context.Context) error {
	others, err := p.observeNeighbours(ctx)
	if err != nil {
		return err
	}
	allocated := portrange.Allocated(p.server)
	if p.server.Spec.Passive.PortCount > 0 && (!p.suits(allocated, others) || !p.inUse(allocated)) {
		if others, err = p.choose(ctx); err != nil {
			return err
		}
	}
	p.ports.usable = portrange.Of(p.server)
	p.ports.report.Taken = portrange.Conflicts(wantedNodePorts(p.server), p.nodePortClaims(others))
	p.ports.report.Shared = portrange.Conflicts(wantedSharedPorts(p.server), p.sharedClaims(others))
	p.ports.blocked = len(p.ports.report.Taken) > 0 || len(p.ports.usable) == 0
	if carried := p.carried(); p.ports.blocked && len(carried) > 0 {
		p.ports.usable = carried
	}
	return nil
}

// suits reports whether a range that was chosen before is still right.
func (p *pass) suits(chosen config.PortSet, others []portrange.Service) bool {
	nodePort := resources.ServiceType(p.server) == corev1.ServiceTypeNodePort
	bounds := p.nodePortBounds()
	switch {
	case len(chosen) != int(p.server.Spec.Passive.PortCount), len(chosen.Intersect(p.reserved())) > 0:
		return false
	case nodePort && (chosen[0] < bounds.First || chosen[len(chosen)-1] > bounds.Last):
		return false
	case nodePort && len(chosen.Intersect(p.refused.of(p.server.UID))) > 0 && !p.inUse(chosen):
		return false
	case nodePort && len(portrange.Conflicts(wantedNodePorts(p.server)[:1], p.nodePortClaims(others))) > 0:
		return false // no other Service can have the node ports that our Service had already
	}
	wanted := wantedSharedPorts(p.server)
	return p.inUse(chosen) || len(wanted) == 0 || len(portrange.Conflicts(wanted[:1], p.sharedClaims(others))) == 0
}

// inUse reports whether a range is in use: the Service carries ports of it, or pods hold some.
func (p *pass) inUse(chosen config.PortSet) bool {
	return len(p.carried().Intersect(chosen)) > 0 ||
		slices.ContainsFunc(p.observed.pods, func(one pod) bool { return len(one.held.Intersect(chosen)) > 0 })
}

// choose chooses a range and records it in the status, unless the recorded range is right.
//
// No two servers may choose the same range. One process chooses for one server at a time, and reads from the API
// server and not from caches. There may be two operators, of which one has lost its lease without knowing it yet. So
// each operator reads again after it has recorded its choice, and chooses again if it finds an overlap with another
// server; of two records, the writer of the later one always sees the earlier. A choice is not used before that
// check, and a choice that is not in use is checked again, whichever operator recorded it.
func (p *pass) choose(ctx context.Context) ([]portrange.Service, error) {
	p.choosing.Lock()
	defer p.choosing.Unlock()
	const tries = 5
	for range tries {
		others, err := p.liveNeighbours(ctx)
		if err != nil {
			return nil, err
		}
		servers, err := p.liveServers(ctx)
		if err != nil {
			return nil, err
		}
		demand := p.demand(others, servers)
		allocated := portrange.Allocated(p.server)
		if p.suits(allocated, others) && len(allocated.Intersect(demand.Taken)) == 0 {
			return others, nil
		}
		chosen, longest := portrange.Choose(demand)
		if chosen == nil {
			p.refused.forget(p.server.UID) // the refused ports may be free by the next pass
			p.ports.report.Missing = &status.MissingRange{Count: demand.Count, Longest: longest, Within: demand.Within[0]}
			return others, nil
		}
		recorded := *p.server.Status.DeepCopy()
		recorded.AllocatedPortRange = chosen.String()
		if err := p.writeStatus(ctx, recorded); err != nil {
			return nil, err
		}
		log.FromContext(ctx).Info("chose passive ports", "ports", chosen.String())
	}
	return nil, &changedError{"other FtpServers keep choosing the same passive ports"}
}

// demand returns the requirements for the range to choose.
func (p *pass) demand(others []portrange.Service, servers []v1alpha1.FtpServer) portrange.Demand {
	d := portrange.Demand{
		Count: int(p.server.Spec.Passive.PortCount), Previous: portrange.Allocated(p.server), Taken: p.reserved(),
	}
	if len(d.Previous) == 0 {
		d.Previous = p.carried()
	}
	bounds := p.nodePortBounds()
	d.Within = []config.Run{bounds}
	if resources.ServiceType(p.server) == corev1.ServiceTypeNodePort {
		d.Taken = d.Taken.Union(p.refused.of(p.server.UID))
		for _, s := range others {
			d.Taken = d.Taken.Union(s.NodePorts)
		}
	} else {
		d.Within = []config.Run{{First: bounds.First, Last: config.MaxPassivePort}, {First: config.MinPassivePort, Last: bounds.First - 1}}
	}
	for _, claim := range p.sharedClaims(others) {
		d.Taken = d.Taken.Union(claim.Ports)
	}
	for i := range servers {
		d.Taken = d.Taken.Union(portrange.Of(&servers[i]))
	}
	return d
}

// nodePortBounds returns the part of the cluster's node port range that may be passive ports.
func (p *pass) nodePortBounds() config.Run {
	return config.Run{First: max(p.NodePorts.First, config.MinPassivePort), Last: p.NodePorts.Last}
}

// reserved returns the ports that can't be passive ports of this server: those that the daemon uses in its pod, and
// the control ports of its Service, both as Service ports and as node ports.
func (p *pass) reserved() config.PortSet {
	all := []uint16{resources.ControlPort, resources.ImplicitPort, resources.AdminPort, resources.APIPort}
	add := func(port int32) {
		if port > 0 && port <= config.MaxPassivePort {
			all = append(all, uint16(port))
		}
	}
	add(resources.ServicePort(p.server))
	if implicit := resources.ImplicitTLS(p.server); implicit != nil {
		add(implicit.Port)
	}
	for _, want := range controlNodePorts(p.server) {
		all = append(all, want.Ports...)
	}
	all = append(all, p.ownControlNodePorts()...)
	return config.NewPortSet(all...)
}

// carried returns the passive ports that the Service carries now; none if the Service is not ours.
func (p *pass) carried() config.PortSet {
	var all []uint16
	if p.observed.serviceChild.state == ours {
		for _, port := range p.observed.service().Spec.Ports {
			if port.Port > 0 && port.Port <= config.MaxPassivePort && port.Name == resources.PassivePortName(uint16(port.Port)) {
				all = append(all, uint16(port.Port))
			}
		}
	}
	return config.NewPortSet(all...)
}

// surplusPorts returns the ports that the Service carries and should not carry; none while the Service can't be
// changed.
func (p *pass) surplusPorts() []string {
	if p.observed.serviceChild.state != ours || p.ports.blocked {
		return nil
	}
	type key struct {
		port     int32
		protocol corev1.Protocol
	}
	wanted := map[key]bool{}
	for _, port := range resources.Service(p.inputs).Spec.Ports {
		wanted[key{*port.Port, *port.Protocol}] = true
	}
	var surplus []string
	for _, port := range p.observed.service().Spec.Ports {
		if !wanted[key{port.Port, port.Protocol}] {
			surplus = append(surplus, fmt.Sprintf("%s (%d/%s)", port.Name, port.Port, port.Protocol))
		}
	}
	return surplus
}

// ownControlNodePorts returns the node ports of the Service's control ports, which the cluster chose or the spec
// declares.
func (p *pass) ownControlNodePorts() config.PortSet {
	var all []uint16
	for _, port := range p.observed.service().Spec.Ports {
		control := port.Name == resources.ControlPortName || port.Name == resources.ImplicitPortName
		if control && port.NodePort > 0 && port.NodePort <= config.MaxPassivePort {
			all = append(all, uint16(port.NodePort))
		}
	}
	return config.NewPortSet(all...)
}

// nodePortClaims returns the node ports that the server can't have, with their holders.
func (p *pass) nodePortClaims(others []portrange.Service) []portrange.Claim {
	var claims []portrange.Claim
	for _, s := range others {
		claims = append(claims, portrange.Claim{Holder: s.Holder, Ports: s.NodePorts})
	}
	if resources.ServiceType(p.server) == corev1.ServiceTypeNodePort {
		var declared config.PortSet
		for _, want := range controlNodePorts(p.server) {
			declared = declared.Union(want.Ports)
		}
		claims = append(claims, portrange.Claim{
			Holder: "this server's own control port (see spec.service.nodePort)",
			Ports:  p.ownControlNodePorts().Minus(declared),
		})
	}
	return claims
}

// sharedClaims returns the ports that other Services have at the address that the server shares.
func (p *pass) sharedClaims(others []portrange.Service) []portrange.Claim {
	key := sharingKey(p.server)
	var claims []portrange.Claim
	for _, s := range others {
		if key != "" && s.SharingKey == key {
			claims = append(claims, portrange.Claim{Holder: s.Holder, Ports: s.Ports})
		}
	}
	return claims
}

// sharingKey returns the sharing key of the server's load balancer address; empty if the address is not shared.
func sharingKey(server *v1alpha1.FtpServer) string {
	if resources.ServiceType(server) != corev1.ServiceTypeLoadBalancer {
		return ""
	}
	return portrange.SharingKey(server.Spec.Service.Annotations)
}

// needsNeighbours reports whether the server requests ports that another Service may hold.
func needsNeighbours(server *v1alpha1.FtpServer) bool {
	return len(controlNodePorts(server)) > 0 || sharingKey(server) != "" ||
		resources.ServiceType(server) == corev1.ServiceTypeNodePort
}

// These are the fields that request ports, as conflicts name them.
const (
	fieldRange            = "spec.passive.portRange"
	fieldCount            = "spec.passive.portCount"
	fieldPort             = "spec.service.port"
	fieldNodePort         = "spec.service.nodePort"
	fieldImplicitPort     = "spec.tls.implicit.port"
	fieldImplicitNodePort = "spec.tls.implicit.nodePort"
)

// wantedPassive returns the passive ports, with the field that declares them.
func wantedPassive(server *v1alpha1.FtpServer) portrange.Want {
	field := fieldRange
	if server.Spec.Passive.PortCount > 0 {
		field = fieldCount
	}
	return portrange.Want{Field: field, Ports: portrange.Of(server)}
}

// wantedNodePorts returns the node ports that the spec requests. For type NodePort the passive ports come first.
func wantedNodePorts(server *v1alpha1.FtpServer) []portrange.Want {
	var wanted []portrange.Want
	if resources.ServiceType(server) == corev1.ServiceTypeNodePort {
		wanted = append(wanted, wantedPassive(server))
	}
	return append(wanted, controlNodePorts(server)...)
}

// controlNodePorts returns the node ports that the spec requests for its control ports.
func controlNodePorts(server *v1alpha1.FtpServer) []portrange.Want {
	if resources.ServiceType(server) == corev1.ServiceTypeClusterIP {
		return nil
	}
	var wanted []portrange.Want
	add := func(field string, port *int32) {
		if port != nil {
			wanted = append(wanted, want(field, *port))
		}
	}
	add(fieldNodePort, server.Spec.Service.NodePort)
	if implicit := resources.ImplicitTLS(server); implicit != nil {
		add(fieldImplicitNodePort, implicit.NodePort)
	}
	return wanted
}

// wantedSharedPorts returns the ports that the server needs at an address that it shares, the passive ports first;
// none if it shares no address.
func wantedSharedPorts(server *v1alpha1.FtpServer) []portrange.Want {
	if sharingKey(server) == "" {
		return nil
	}
	wanted := []portrange.Want{wantedPassive(server), want(fieldPort, resources.ServicePort(server))}
	if implicit := resources.ImplicitTLS(server); implicit != nil {
		wanted = append(wanted, want(fieldImplicitPort, implicit.Port))
	}
	return wanted
}

func want(field string, port int32) portrange.Want {
	return portrange.Want{Field: field, Ports: config.PortSet{uint16(port)}} //nolint:gosec // 1 to 65535 by the API
}
