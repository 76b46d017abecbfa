package resources

import (
	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// revisionLabel is the label by which the Deployment marks the pods of one revision.
const revisionLabel = "pod-template-hash"

// schedule places the pods as the user says. Where the user says nothing, it uses preferences only, so that no pod
// waits for a better node than there is.
//
// Storage that can be mounted on one node only keeps the pods together. With other storage the pods are spread over
// nodes and zones, each revision separately: a pod avoids nodes with another pod of its revision, which has the
// largest weight. Where that leaves a choice, as with a single pod, the pod of a new revision prefers a node with an
// old pod. So under externalTrafficPolicy Local the node with the running sessions keeps receiving traffic while the
// old pod drains.
func schedule(in Inputs, spec *coreac.PodSpecApplyConfiguration) {
	user := &in.Server.Spec.Template
	together := singleNode(in.Server, in.ClaimAccessModes)
	selector := metaac.LabelSelector().WithMatchLabels(SelectorLabels(in.Server))

	switch {
	case user.Affinity != nil:
		spec.WithAffinity(as[coreac.AffinityApplyConfiguration](user.Affinity))
	case together:
		spec.WithAffinity(coreac.Affinity().WithPodAffinity(coreac.PodAffinity().
			WithPreferredDuringSchedulingIgnoredDuringExecution(preference(100, sameNode(selector)))))
	default:
		// The scheduler adds up the weights: a hundred old pods attract as much as one pod of the same revision
		// repels.
		spec.WithAffinity(coreac.Affinity().
			WithPodAntiAffinity(coreac.PodAntiAffinity().
				WithPreferredDuringSchedulingIgnoredDuringExecution(
					preference(100, sameNode(selector).WithMatchLabelKeys(revisionLabel)))).
			WithPodAffinity(coreac.PodAffinity().
				WithPreferredDuringSchedulingIgnoredDuringExecution(
					preference(1, sameNode(selector).WithMismatchLabelKeys(revisionLabel)))))
	}

	if len(user.TopologySpreadConstraints) > 0 {
		for i := range user.TopologySpreadConstraints {
			spec.WithTopologySpreadConstraints(
				as[coreac.TopologySpreadConstraintApplyConfiguration](user.TopologySpreadConstraints[i]))
		}
	} else if !together {
		for _, key := range []string{corev1.LabelHostname, corev1.LabelTopologyZone} {
			spec.WithTopologySpreadConstraints(coreac.TopologySpreadConstraint().
				WithTopologyKey(key).
				WithMaxSkew(1).
				WithWhenUnsatisfiable(corev1.ScheduleAnyway).
				WithLabelSelector(selector).
				WithMatchLabelKeys(revisionLabel))
		}
	}
}

func sameNode(selector *metaac.LabelSelectorApplyConfiguration) *coreac.PodAffinityTermApplyConfiguration {
	return coreac.PodAffinityTerm().WithTopologyKey(corev1.LabelHostname).WithLabelSelector(selector)
}

func preference(weight int32, term *coreac.PodAffinityTermApplyConfiguration) *coreac.WeightedPodAffinityTermApplyConfiguration {
	return coreac.WeightedPodAffinityTerm().WithWeight(weight).WithPodAffinityTerm(term)
}
