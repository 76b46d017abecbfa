package status

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Reasons of the PassivePortsExposed condition.
const (
	ReasonPortsExposed = "PortsExposed"
	// ReasonExposingPorts: the Service does not carry all ports yet.
	ReasonExposingPorts = "ExposingPorts"
	// ReasonNodePortConflict: another Service holds node ports that the server needs.
	ReasonNodePortConflict = "NodePortConflict"
	// ReasonSharedAddressConflict: Services that are to share a load balancer's address have a port
	// in common, and so can't share it.
	ReasonSharedAddressConflict = "SharedAddressConflict"
	// ReasonNoFreeRange: there is no room for spec.passive.portCount ports.
	ReasonNoFreeRange = "NoFreeRange"
)

// Ports tells of the ports of the Service.
type Ports struct {
	// Carried are the passive ports that it carries.
	Carried config.PortSet
	// Taken are the node ports that it needs and others hold: it can't be brought to what is
	// declared then.
	Taken []portrange.Conflict
	// Shared are the ports that others have at the load balancer's address that it is to share.
	Shared []portrange.Conflict
	// Missing is the range that could not be chosen; nil if none was needed, or it could.
	Missing *MissingRange
}

// MissingRange tells why no range could be chosen.
type MissingRange struct {
	// Count is the number of ports wanted, Longest that of the longest free run.
	Count, Longest int
	// Within is where they must lie.
	Within config.Run
}

// passivePortsExposed: the Service carries the control ports and every passive port, and nobody
// else holds one of them.
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

// advice says what to do about conflicts, by the fields that they are about.
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
