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

// Event is a change that is worth an event: a condition that became bad, is bad for a new reason, or has recovered.
type Event struct {
	Warning         bool
	Reason, Message string
	// Grace is the time to wait, before the event is emitted, for the trouble to pass; 0: no wait.
	Grace time.Duration
}

// Events compares two statuses and returns the events for what became bad or recovered, so two equal statuses give
// none. Things that merely take time (a rollout, ports being assigned, a load balancer being created) are not events.
// Things that may still be missing shortly after a start have a grace period.
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
		case kind == v1alpha1.ConditionSuspended:
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

// Bad returns the conditions that say that something is wrong. Those that summarize others come last.
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

// patient are the reasons that mean "not yet" and not "something is wrong".
var patient = map[string]bool{
	ReasonProgressing: true, ReasonAssigningPorts: true, ReasonExposingPorts: true, ReasonRangeChanging: true,
	ReasonConfigUpdating: true, ReasonClaimPending: true, ReasonAddressNotYetServed: true,
	address.ReasonLoadBalancerPending: true, address.ReasonClusterIPPending: true, string(ProblemFailed): true,
	ReasonScaledToNil: true, ReasonNoPodReady: true, ReasonHashing: true,
}

// grace is the time after a start for which things may be missing that others create, in any order.
var grace = map[string]time.Duration{
	ReasonPasswordMissing: time.Minute, ReasonCertificateMissing: time.Minute, ReasonClaimMissing: time.Minute,
	address.ReasonNoNodeAddress: time.Minute,
	// A volume that was created by hand is bound within seconds.
	ReasonStorageClassMissing: 10 * time.Second,
	// The DNS name of a new load balancer takes time to be known everywhere.
	ReasonHostNameNotResolved: loadBalancerPatience,
}

func bad(c *metav1.Condition) bool {
	if patient[c.Reason] {
		return false
	}
	switch c.Type {
	case v1alpha1.ConditionStalled:
		return c.Status == metav1.ConditionTrue
	case v1alpha1.ConditionSuspended:
		return false
	case v1alpha1.ConditionPortsWithinLimits:
		if c.Reason == loadbalancer.ReasonManyNodePorts {
			return true // even though the condition is True
		}
	}
	return c.Status == metav1.ConditionFalse
}

// dedupe drops events that have the same reason and message as one before, and keeps the shorter grace period.
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
