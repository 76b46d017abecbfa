package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/caches"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// portDecision is what a pass decided about the server's passive ports.
type portDecision struct {
	// usable are the ports that pods may be assigned: the declared ones, or, if the Service can't carry those, the
	// ones that it carries now, so that what is served goes on.
	usable config.PortSet
	// blocked is true while the Service can't be brought to what is declared.
	blocked bool
	// taken and shared are the requested ports that others hold: as node ports, and at the address that the server
	// shares.
	taken, shared []portrange.Conflict
	// missing is what was looked for in vain if only the number of ports is declared; nil if a range was found.
	missing *status.MissingRange
}

// decidePorts finds out which passive ports the server can have, and chooses them if only their number is declared.
func decidePorts(ctx context.Context, s scope, o *observed) (scope, portDecision, error) {
	var decided portDecision
	others, err := observeOthers(ctx, s)
	if err != nil {
		return s, decided, err
	}
	allocated := portrange.Allocated(s.server)
	if s.server.Spec.Passive.PortCount > 0 && (!suits(s, o, allocated, others) || !o.inUse(allocated)) {
		if s, others, decided.missing, err = choosePorts(ctx, s, o); err != nil {
			return s, decided, err
		}
	}
	decided.usable = portrange.Of(s.server)
	decided.taken = portrange.Conflicts(portrange.WantedNodePorts(s.server), nodePortClaims(s.server, o, others))
	decided.shared = portrange.Conflicts(portrange.WantedSharedPorts(s.server), sharedClaims(s.server, others))
	decided.blocked = len(decided.taken) > 0 || len(decided.usable) == 0
	if carried := o.carried(); decided.blocked && len(carried) > 0 {
		decided.usable = carried
	}
	return s, decided, nil
}

// choosePorts chooses a range and records it in the status, unless the recorded range is right. If no range is free, it
// returns what was looked for.
//
// No two servers may choose the same range. One process chooses for one server at a time, and reads from the API
// server and not from caches. There may be two operators, of which one has lost its lease without knowing it yet. So
// each operator reads again after it has recorded its choice, and chooses again if it finds an overlap with another
// server; of two records, the writer of the later one always sees the earlier. A choice is not used before that
// check, and a choice that is not in use is checked again, whichever operator recorded it.
func choosePorts(ctx context.Context, s scope, o *observed) (scope, []portrange.Service, *status.MissingRange, error) {
	s.choosing.Lock()
	defer s.choosing.Unlock()
	const tries = 5
	for range tries {
		others, err := liveOthers(ctx, s)
		if err != nil {
			return s, nil, nil, err
		}
		servers, err := liveServers(ctx, s)
		if err != nil {
			return s, nil, nil, err
		}
		wanted := demand(s, o, others, servers)
		allocated := portrange.Allocated(s.server)
		if suits(s, o, allocated, others) && len(allocated.Intersect(wanted.Taken)) == 0 {
			return s, others, nil, nil
		}
		chosen, longest := portrange.Choose(wanted)
		if chosen == nil {
			s.refused.Forget(s.server.UID) // the refused ports may be free by the next pass
			return s, others, &status.MissingRange{Count: wanted.Count, Longest: longest, Within: wanted.Within[0]}, nil
		}
		recorded := *s.server.Status.DeepCopy()
		recorded.AllocatedPortRange = chosen.String()
		if s, err = writeStatus(ctx, s, recorded); err != nil {
			return s, nil, nil, err
		}
		log.FromContext(ctx).Info("chose passive ports", "ports", chosen.String())
	}
	return s, nil, nil, &children.ChangedError{What: "other FtpServers keep choosing the same passive ports"}
}

// suits reports whether a range that was chosen before is still right.
func suits(s scope, o *observed, chosen config.PortSet, others []portrange.Service) bool {
	nodePort := resources.ServiceType(s.server) == corev1.ServiceTypeNodePort
	bounds := nodePortBounds(s)
	switch {
	case len(chosen) != int(s.server.Spec.Passive.PortCount), len(chosen.Intersect(reserved(s.server, o))) > 0:
		return false
	case nodePort && (chosen[0] < bounds.First || chosen[len(chosen)-1] > bounds.Last):
		return false
	case nodePort && len(chosen.Intersect(s.refused.Of(s.server.UID))) > 0 && !o.inUse(chosen):
		return false
	case nodePort && len(portrange.Conflicts(portrange.WantedNodePorts(s.server)[:1], nodePortClaims(s.server, o, others))) > 0:
		return false // no other Service can have the node ports that our Service had already
	}
	wanted := portrange.WantedSharedPorts(s.server)
	return o.inUse(chosen) || len(wanted) == 0 || len(portrange.Conflicts(wanted[:1], sharedClaims(s.server, others))) == 0
}

// demand returns the requirements for the range to choose.
func demand(s scope, o *observed, others []portrange.Service, servers []v1alpha1.FtpServer) portrange.Demand {
	d := portrange.Demand{
		Count: int(s.server.Spec.Passive.PortCount), Previous: portrange.Allocated(s.server), Taken: reserved(s.server, o),
	}
	if len(d.Previous) == 0 {
		d.Previous = o.carried()
	}
	bounds := nodePortBounds(s)
	d.Within = []config.Run{bounds}
	if resources.ServiceType(s.server) == corev1.ServiceTypeNodePort {
		d.Taken = d.Taken.Union(s.refused.Of(s.server.UID))
		for _, other := range others {
			d.Taken = d.Taken.Union(other.NodePorts)
		}
	} else {
		d.Within = []config.Run{{First: bounds.First, Last: config.MaxPassivePort}, {First: config.MinPassivePort, Last: bounds.First - 1}}
	}
	for _, claim := range sharedClaims(s.server, others) {
		d.Taken = d.Taken.Union(claim.Ports)
	}
	for i := range servers {
		d.Taken = d.Taken.Union(portrange.Of(&servers[i]))
	}
	return d
}

// nodePortBounds returns the part of the cluster's node port range that may be passive ports.
func nodePortBounds(s scope) config.Run {
	return config.Run{First: max(s.NodePorts.First, config.MinPassivePort), Last: s.NodePorts.Last}
}

// reserved returns the ports that can't be passive ports of the server: those that the daemon uses in its pod, and
// the control ports of its Service, both as Service ports and as node ports.
func reserved(server *v1alpha1.FtpServer, o *observed) config.PortSet {
	all := []uint16{resources.ControlPort, resources.ImplicitPort, resources.AdminPort, resources.APIPort}
	add := func(port int32) {
		if port > 0 && port <= config.MaxPassivePort {
			all = append(all, uint16(port))
		}
	}
	add(resources.ServicePort(server))
	if implicit := resources.ImplicitTLS(server); implicit != nil {
		add(implicit.Port)
	}
	for _, want := range portrange.ControlNodePorts(server) {
		all = append(all, want.Ports...)
	}
	all = append(all, o.controlNodePorts()...)
	return config.NewPortSet(all...)
}

// nodePortClaims returns the node ports that the server can't have, with their holders.
func nodePortClaims(server *v1alpha1.FtpServer, o *observed, others []portrange.Service) []portrange.Claim {
	var claims []portrange.Claim
	for _, other := range others {
		claims = append(claims, portrange.Claim{Holder: other.Holder, Ports: other.NodePorts})
	}
	if resources.ServiceType(server) == corev1.ServiceTypeNodePort {
		var declared config.PortSet
		for _, want := range portrange.ControlNodePorts(server) {
			declared = declared.Union(want.Ports)
		}
		claims = append(claims, portrange.Claim{
			Holder: "this server's own control port (see spec.service.nodePort)",
			Ports:  o.controlNodePorts().Minus(declared),
		})
	}
	return claims
}

// sharedClaims returns the ports that other Services have at the address that the server shares.
func sharedClaims(server *v1alpha1.FtpServer, others []portrange.Service) []portrange.Claim {
	key := portrange.SharedKey(server)
	var claims []portrange.Claim
	for _, other := range others {
		if key != "" && other.SharingKey == key {
			claims = append(claims, portrange.Claim{Holder: other.Holder, Ports: other.Ports})
		}
	}
	return claims
}

// inUse reports whether a range is in use: the Service carries ports of it, or pods hold some.
func (o *observed) inUse(chosen config.PortSet) bool {
	return len(o.carried().Intersect(chosen)) > 0 ||
		slices.ContainsFunc(o.pods, func(one pod) bool { return len(one.held.Intersect(chosen)) > 0 })
}

// carried returns the passive ports that the Service carries now; none if the Service is not ours.
func (o *observed) carried() config.PortSet {
	var all []uint16
	if o.child(children.KindService).State == children.Ours {
		for _, port := range o.service().Spec.Ports {
			if port.Port > 0 && port.Port <= config.MaxPassivePort && port.Name == resources.PassivePortName(uint16(port.Port)) {
				all = append(all, uint16(port.Port))
			}
		}
	}
	return config.NewPortSet(all...)
}

// controlNodePorts returns the node ports of the Service's control ports, which the cluster chose or the spec
// declares.
func (o *observed) controlNodePorts() config.PortSet {
	var all []uint16
	for _, port := range o.service().Spec.Ports {
		control := port.Name == resources.ControlPortName || port.Name == resources.ImplicitPortName
		if control && port.NodePort > 0 && port.NodePort <= config.MaxPassivePort {
			all = append(all, uint16(port.NodePort))
		}
	}
	return config.NewPortSet(all...)
}

// observeOthers reads the Services of other owners if they may matter to the server.
func observeOthers(ctx context.Context, s scope) ([]portrange.Service, error) {
	if !portrange.NeedsOthers(s.server) {
		return nil, nil
	}
	if err := s.others.Watch(); err != nil {
		return nil, fmt.Errorf("watching Services, which may hold ports that FtpServer %s/%s needs: %w", s.server.Namespace, s.server.Name, err)
	}
	if s.others.Cached == nil {
		return liveOthers(ctx, s)
	}
	var list corev1.ServiceList
	if err := s.others.Cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing Services, which may hold ports that FtpServer %s/%s needs: %w", s.server.Namespace, s.server.Name, err)
	}
	return notOwn(s.server, list.Items), nil
}

// liveOthers reads these Services from the API server.
func liveOthers(ctx context.Context, s scope) ([]portrange.Service, error) {
	var others []portrange.Service
	for _, namespace := range scopes(s.others.ServiceNamespaces) {
		var list corev1.ServiceList
		if err := s.Live.List(ctx, &list, client.InNamespace(namespace), client.MatchingFieldsSelector{Selector: caches.ExposingServices}); err != nil {
			return nil, fmt.Errorf("listing Services, which may hold ports that FtpServer %s/%s needs: %w", s.server.Namespace, s.server.Name, err)
		}
		others = append(others, notOwn(s.server, list.Items)...)
	}
	return others, nil
}

// notOwn returns those Services of the list that are not the server's own.
func notOwn(server *v1alpha1.FtpServer, list []corev1.Service) []portrange.Service {
	var others []portrange.Service
	for i := range list {
		if s := portrange.ServiceOf(&list[i]); s.Namespace != server.Namespace || s.Name != resources.ServiceName(server) {
			others = append(others, s)
		}
	}
	return others
}

// liveServers reads all other FtpServers from the API server.
func liveServers(ctx context.Context, s scope) ([]v1alpha1.FtpServer, error) {
	var others []v1alpha1.FtpServer
	for _, namespace := range scopes(s.others.ServerNamespaces) {
		var list v1alpha1.FtpServerList
		if err := s.Live.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("listing FtpServers, whose passive ports must not be chosen again: %w", err)
		}
		for i := range list.Items {
			if list.Items[i].UID != s.server.UID {
				others = append(others, list.Items[i])
			}
		}
	}
	return others, nil
}

// scopes returns the namespaces to list one by one; "" is the whole cluster.
func scopes(namespaces []string) []string {
	if len(namespaces) == 0 {
		return []string{""}
	}
	return namespaces
}
