package resources

import (
	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// revisionLabel is what the Deployment puts on the pods of one revision.
const revisionLabel = "pod-template-hash"

// schedule places the pods: as the user says, and where the user says nothing by preferences only.
//
// Storage that can be mounted on one node only keeps the pods together. Any other is spread over
// nodes and zones, each revision by itself; and a new revision's pod is drawn to where an old one
// runs, so that under externalTrafficPolicy Local the node that carries the running sessions stays the
// one that is sent traffic while the old pod drains.
func schedule(in Inputs, spec *coreac.PodSpecApplyConfiguration) {
	user := &in.Server.Spec.Template
	together := singleNode(in.Server, in.ClaimAccessModes)
	selector := metaac.LabelSelector().WithMatchLabels(SelectorLabels(in.Server))

	if user.Affinity != nil {
		spec.WithAffinity(as[coreac.AffinityApplyConfiguration](user.Affinity))
	} else {
		term := coreac.PodAffinityTerm().WithTopologyKey(corev1.LabelHostname).WithLabelSelector(selector)
		if !together {
			term.WithMismatchLabelKeys(revisionLabel)
		}
		spec.WithAffinity(coreac.Affinity().WithPodAffinity(coreac.PodAffinity().
			WithPreferredDuringSchedulingIgnoredDuringExecution(
				coreac.WeightedPodAffinityTerm().WithWeight(100).WithPodAffinityTerm(term))))
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
