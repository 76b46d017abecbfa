package status

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
)

// Event is something worth telling: a condition that turned bad, for a new reason, or recovered.
type Event struct {
	Warning         bool
	Reason, Message string
}

// Events compares two statuses. It tells of changes and recoveries only, so the same status twice
// gives nothing. What merely takes its time (a rollout, ports being assigned, a load balancer on
// its way) is not an event.
func Events(before, after v1alpha1.FtpServerStatus) []Event {
	var events []Event
	for _, kind := range []string{
		v1alpha1.ConditionStalled, v1alpha1.ConditionUsersReady, v1alpha1.ConditionCertificateReady, v1alpha1.ConditionStorageReady,
		v1alpha1.ConditionPassivePortsExposed, v1alpha1.ConditionPassivePortsAssigned, v1alpha1.ConditionPortsWithinLimits, v1alpha1.ConditionClientNetworksKept, v1alpha1.ConditionAddressResolved,
		v1alpha1.ConditionConfigLoaded, v1alpha1.ConditionPaused, v1alpha1.ConditionReady,
	} {
		was, is := meta.FindStatusCondition(before.Conditions, kind), meta.FindStatusCondition(after.Conditions, kind)
		switch {
		case is == nil, was != nil && was.Status == is.Status && was.Reason == is.Reason:
		case bad(is):
			if kind == v1alpha1.ConditionReady && meta.IsStatusConditionTrue(after.Conditions, v1alpha1.ConditionStalled) {
				continue // told by Stalled
			}
			events = append(events, Event{Warning: true, Reason: is.Reason, Message: is.Message})
		case kind == v1alpha1.ConditionPaused:
			if is.Status == metav1.ConditionTrue || was != nil && was.Status == metav1.ConditionTrue {
				events = append(events, Event{Reason: is.Reason, Message: is.Message})
			}
		case kind == v1alpha1.ConditionReady && is.Status == metav1.ConditionTrue && (was == nil || was.Status != is.Status),
			was != nil && bad(was) && is.Status == metav1.ConditionTrue:
			events = append(events, Event{Reason: is.Reason, Message: is.Message})
		}
	}
	return dedupe(events)
}

// patient are the reasons that say "not yet" rather than "something is wrong".
var patient = map[string]bool{
	ReasonProgressing: true, ReasonAssigningPorts: true, ReasonExposingPorts: true, ReasonRangeChanging: true,
	ReasonConfigUpdating: true, ReasonClaimPending: true, ReasonAddressNotYetServed: true,
	address.ReasonLoadBalancerPending: true, address.ReasonClusterIPPending: true, string(ProblemFailed): true,
	ReasonScaledToNil: true,
}

func bad(c *metav1.Condition) bool {
	if patient[c.Reason] {
		return false
	}
	switch c.Type {
	case v1alpha1.ConditionStalled:
		return c.Status == metav1.ConditionTrue
	case v1alpha1.ConditionPaused:
		return false
	case v1alpha1.ConditionPassivePortsExposed:
		if c.Reason == ReasonSharedAddressConflict {
			return true // while it still serves
		}
	case v1alpha1.ConditionAddressResolved:
		if c.Reason == ReasonHostNameNotRefreshed || c.Reason == address.ReasonLoadBalancerPortError {
			return true // while it still serves
		}
	case v1alpha1.ConditionCertificateReady:
		if c.Reason == ReasonCertificateEndsSoon || c.Reason == ReasonHostNotCovered {
			return true // while it still serves
		}
	case v1alpha1.ConditionPortsWithinLimits:
		if c.Reason == loadbalancer.ReasonManyNodePorts {
			return true // though there are as many
		}
	}
	return c.Status == metav1.ConditionFalse
}

// dedupe drops what was just told under another condition.
func dedupe(events []Event) []Event {
	seen := map[Event]bool{}
	var kept []Event
	for _, e := range events {
		if !seen[e] {
			seen[e] = true
			kept = append(kept, e)
		}
	}
	return kept
}
