package status

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// order is the order of the conditions in the status: those that summarize come first, then those that they
// summarize, in the order of the chain of causes. kubectl describe prints them in this order.
var order = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling, v1alpha1.ConditionSuspended,
	v1alpha1.ConditionAvailable, v1alpha1.ConditionUsersReady, v1alpha1.ConditionCertificateReady,
	v1alpha1.ConditionStorageReady, v1alpha1.ConditionAddressResolved, v1alpha1.ConditionPassivePortsExposed,
	v1alpha1.ConditionPassivePortsAssigned, v1alpha1.ConditionConfigLoaded, v1alpha1.ConditionPortsWithinLimits,
	v1alpha1.ConditionClientNetworksEnforced, v1alpha1.ConditionScaleAsDeclared, v1alpha1.ConditionCRDCurrent,
}

// retired are the types of conditions of earlier versions, which are removed from the status: Suspended and
// ClientNetworksEnforced have taken their places.
var retired = []string{"Paused", "ClientNetworksKept"}

// Ours reports whether this package computes conditions of that type, or did so in an earlier version.
func Ours(kind string) bool { return slices.Contains(order, kind) || slices.Contains(retired, kind) }

// inOrder returns the conditions sorted and without retired ones. Those of other controllers come last, in their
// previous order.
func inOrder(conditions []metav1.Condition) []metav1.Condition {
	conditions = slices.DeleteFunc(conditions, func(c metav1.Condition) bool { return slices.Contains(retired, c.Type) })
	rank := func(c metav1.Condition) int {
		if i := slices.Index(order, c.Type); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(conditions, func(a, b metav1.Condition) int { return rank(a) - rank(b) })
	return conditions
}
