package resources

import (
	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// revisionLabel is what the Deployment puts on the pods of one revision.
const revisionLabel = "pod-template-hash"

// schedule places the pods: as the user says, and where the user says nothing by preferences only,
// so that no pod waits for a better place than there is.
//
// Storage that can be mounted on one node only keeps the pods together. Any other is spread over
// nodes and zones, each revision by itself: the pods of one keep off nodes that have another of
// theirs, which weighs more than all else. Where that leaves a choice, as with a single pod, a new revision's
// pod is drawn to where an old one runs, so that under externalTrafficPolicy Local the node that carries
// the running sessions stays the one that is sent traffic while the old pod drains.
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
		// The scheduler adds the two up: a hundred old pods draw as much as one of its own repels.
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
