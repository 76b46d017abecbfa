package resources

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyac "k8s.io/client-go/applyconfigurations/policy/v1"
)

// PodDisruptionBudget of the pods; nil where it would be of no use, or the server declines one.
//
// It bounds what may be missing, never what must be there: a budget must not be able to forbid a
// node drain for ever. For that reason there is none for a single pod, which could only be kept or
// let go; and none where one node holds the storage, since what replaces an evicted pod elsewhere
// waits for the volume, which the other pods keep until they are evicted too. A pod that isn't ready is
// worth nothing to clients and may always be evicted.
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
