package status

import (
	"slices"
	"time"

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
	// Grace is how long to wait for the trouble to pass before it is told; 0: it is told at once.
	Grace time.Duration
}

// Events compares two statuses. It tells of changes and recoveries only, so the same status twice
// gives nothing. What merely takes its time (a rollout, ports being assigned, a load balancer on
// its way) is not an event. What a start has not brought about yet, and may still, has a grace.
func Events(before, after v1alpha1.FtpServerStatus) []Event {
	var events []Event
	for _, kind := range append(slices.Clone(order[1:]), v1alpha1.ConditionReady) {
		was, is := meta.FindStatusCondition(before.Conditions, kind), meta.FindStatusCondition(after.Conditions, kind)
		switch {
		case is == nil, was != nil && was.Status == is.Status && was.Reason == is.Reason:
		case bad(is):
			e := Event{Warning: true, Reason: is.Reason, Message: is.Message}
			if was == nil || was.Status != metav1.ConditionTrue {
				e.Grace = grace[is.Reason]
			}
			events = append(events, e)
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

// StillBad reports whether a condition of the status is bad for that reason, and returns its message.
func StillBad(s v1alpha1.FtpServerStatus, reason string) (message string, is bool) {
	i := slices.IndexFunc(s.Conditions, func(c metav1.Condition) bool { return c.Reason == reason && Ours(c.Type) && bad(&c) })
	if i < 0 {
		return "", false
	}
	return s.Conditions[i].Message, true
}

// Bad are the conditions that say that something is wrong, those that sum up others last.
func Bad(s v1alpha1.FtpServerStatus) []metav1.Condition {
	var all, sums []metav1.Condition
	for i := range s.Conditions {
		c := s.Conditions[i]
		switch {
		case !Ours(c.Type) || !bad(&c):
		case c.Type == v1alpha1.ConditionReady || c.Type == v1alpha1.ConditionStalled:
			sums = append(sums, c)
		default:
			all = append(all, c)
		}
	}
	return append(all, sums...)
}

// patient are the reasons that say "not yet" rather than "something is wrong".
var patient = map[string]bool{
	ReasonProgressing: true, ReasonAssigningPorts: true, ReasonExposingPorts: true, ReasonRangeChanging: true,
	ReasonConfigUpdating: true, ReasonClaimPending: true, ReasonAddressNotYetServed: true,
	address.ReasonLoadBalancerPending: true, address.ReasonClusterIPPending: true, string(ProblemFailed): true,
	ReasonScaledToNil: true, ReasonNoPodReady: true, ReasonHashing: true,
}

// grace is how long after a start things may be missing that others bring, in whatever order.
var grace = map[string]time.Duration{
	ReasonPasswordMissing: time.Minute, ReasonCertificateMissing: time.Minute, ReasonClaimMissing: time.Minute,
	address.ReasonNoNodeAddress: time.Minute,
	// A volume that was made by hand is bound within seconds.
	ReasonStorageClassMissing: 10 * time.Second,
	// The name of a new load balancer takes its time to be known everywhere.
	ReasonHostNameNotResolved: loadBalancerPatience,
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
	case v1alpha1.ConditionPortsWithinLimits:
		if c.Reason == loadbalancer.ReasonManyNodePorts {
			return true // though there are as many
		}
	}
	return c.Status == metav1.ConditionFalse
}

// dedupe drops what is told under another condition too.
func dedupe(events []Event) []Event {
	var kept []Event
	for _, e := range events {
		same := func(k Event) bool { return k.Reason == e.Reason && k.Message == e.Message }
		if i := slices.IndexFunc(kept, same); i >= 0 {
			kept[i].Grace = min(kept[i].Grace, e.Grace)
			continue
		}
		kept = append(kept, e)
	}
	return kept
}
