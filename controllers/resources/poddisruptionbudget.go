package resources

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyac "k8s.io/client-go/applyconfigurations/policy/v1"
)

// PodDisruptionBudget returns the budget of the pods; nil where it would be of no use or the spec disables it.
//
// The budget limits how many pods may be missing, and never demands a number that must be there: a budget must not be
// able to block the drain of a node for ever. For that reason there is none for a single pod, which a budget could
// only keep or let go. There is also none if the storage can be mounted on one node only: the pod that replaces an
// evicted one on another node waits for the volume, which the other pods keep until they are evicted too. A pod that
// is not ready serves no clients and may always be evicted.
func PodDisruptionBudget(in Inputs) *policyac.PodDisruptionBudgetApplyConfiguration {
	server := in.Server
	user := &server.Spec.PodDisruptionBudget
	if user.Enabled != nil && !*user.Enabled || Replicas(server) < 2 || singleNode(server, in.ClaimAccessModes) {
		return nil
	}
	missing := intstr.FromInt32(1)
	if user.MaxUnavailable != nil {
		missing = *user.MaxUnavailable
	}
	return policyac.PodDisruptionBudget(PodDisruptionBudgetName(server), server.Namespace).
		WithLabels(Labels(server)).
		WithOwnerReferences(serverOwner(server)).
		WithSpec(policyac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(missing).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(metaac.LabelSelector().WithMatchLabels(SelectorLabels(server))))
}
