package status

import (
	"fmt"
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// These are the reasons of the PassivePortsExposed condition.
const (
	ReasonPortsExposed = "PortsExposed"
	// ReasonExposingPorts means that the Service does not carry all ports yet.
	ReasonExposingPorts = "ExposingPorts"
	// ReasonSurplusPorts means that the Service carries ports that it should not.
	ReasonSurplusPorts = "SurplusPorts"
	// ReasonForeignEndpoints means that EndpointSlices that are not the operator's route to the Service.
	ReasonForeignEndpoints = "ForeignEndpoints"
	// ReasonNodePortConflict means that another Service holds node ports that the server needs.
	ReasonNodePortConflict = "NodePortConflict"
	// ReasonSharedAddressConflict means that Services that are to share a load balancer's address have a port in
	// common, and so can't share it.
	ReasonSharedAddressConflict = "SharedAddressConflict"
	// ReasonNoFreeRange means that there is no room for spec.passive.portCount ports.
	ReasonNoFreeRange = "NoFreeRange"
)

// Ports describes the ports of the Service.
type Ports struct {
	// Carried are the passive ports that the Service carries.
	Carried config.PortSet
	// Surplus are the ports that the Service carries and should not, as in "p31000 (31000/TCP)".
	Surplus []string
	// Foreign are the EndpointSlices of the Service that are not ours.
	Foreign []ForeignSlice
	// Taken are the node ports that the server needs and others hold. While there are any, the Service can't be
	// brought to what is declared.
	Taken []portrange.Conflict
	// Shared are the ports that others have at the load balancer's address that the server is to share.
	Shared []portrange.Conflict
	// Missing describes the range that could not be chosen; nil if none was needed or one was chosen.
	Missing *MissingRange
}

// ForeignSlice is an EndpointSlice that is not ours.
type ForeignSlice struct {
	// Name is the name of the slice, and Manager what manages it according to its label; Manager is empty without
	// that label.
	Name, Manager string
}

func (s ForeignSlice) String() string {
	if s.Manager == "" {
		return s.Name
	}
	return s.Name + " (managed by " + s.Manager + ")"
}

// MissingRange says why no range could be chosen.
type MissingRange struct {
	// Count is the requested number of ports, and Longest the length of the longest free run.
	Count, Longest int
	// Within is the range in which the ports must be.
	Within config.Run
}

// passivePortsExposed is True if the Service carries every passive port and no surplus port, no other Service holds
// one of them, and no foreign EndpointSlice routes to the Service.
func passivePortsExposed(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionPassivePortsExposed
	switch m := o.Ports.Missing; {
	case m != nil:
		return condition(kind, metav1.ConditionFalse, ReasonNoFreeRange, fmt.Sprintf(
			"no %d ports that follow one another are free within %d-%d (the longest free run has %d): lower spec.passive.portCount, or give ports of other servers back",
			m.Count, m.Within.First, m.Within.Last, m.Longest))
	case len(o.Ports.Taken) > 0:
		return condition(kind, metav1.ConditionFalse, ReasonNodePortConflict,
			portrange.Describe(o.Ports.Taken)+": "+advice(o.Ports.Taken)+"; the Service stays as it is until they come free")
	}
	if missing := o.Plan.Exposed.Minus(o.Ports.Carried); len(missing) > 0 {
		return condition(kind, metav1.ConditionFalse, ReasonExposingPorts,
			fmt.Sprintf("the Service does not carry the passive ports %s yet", missing))
	}
	if len(o.Ports.Surplus) > 0 {
		return condition(kind, metav1.ConditionFalse, ReasonSurplusPorts, fmt.Sprintf(
			"the Service carries ports that are not this server's, and they can't be taken off it: %s; find what writes them (see managedFields of the Service) and have it stop",
			list(o.Ports.Surplus)))
	}
	if len(o.Ports.Foreign) > 0 {
		var names []string
		for _, s := range o.Ports.Foreign {
			names = append(names, s.String())
		}
		return condition(kind, metav1.ConditionFalse, ReasonForeignEndpoints, fmt.Sprintf(
			"an EndpointSlice that is not the operator's names the Service, so that connections to passive ports may be led astray: %s; delete it, or take its label %s off",
			list(names), discoveryv1.LabelServiceName))
	}
	if len(o.Ports.Shared) > 0 {
		return condition(kind, metav1.ConditionFalse, ReasonSharedAddressConflict, fmt.Sprintf(
			"the load balancer's address can't be shared under the key that the Service's annotations give, as %s: %s",
			portrange.Describe(o.Ports.Shared), advice(o.Ports.Shared)))
	}
	if o.Address.Reason == address.ReasonLoadBalancerPortError {
		return condition(kind, metav1.ConditionFalse, o.Address.Reason, o.Address.Message)
	}
	return condition(kind, metav1.ConditionTrue, ReasonPortsExposed,
		fmt.Sprintf("the Service carries the passive ports %s", o.Plan.Exposed))
}

// advice returns what to do about conflicts, for each of the fields that they concern.
func advice(conflicts []portrange.Conflict) string {
	var parts []string
	for _, field := range portrange.Fields(conflicts) {
		switch {
		case strings.HasSuffix(field, ".portRange"):
			parts = append(parts, "choose another passive.portRange, or passive.portCount")
		case strings.HasSuffix(field, ".portCount"):
			parts = append(parts, "others are chosen as soon as there are any, else lower passive.portCount")
		case strings.HasSuffix(field, "odePort"):
			parts = append(parts, "choose another "+strings.TrimPrefix(field, "spec.")+", or leave it out")
		default:
			parts = append(parts, "choose another "+strings.TrimPrefix(field, "spec."))
		}
	}
	return strings.Join(slices.Compact(parts), "; ")
}
