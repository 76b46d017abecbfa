package v1alpha1

import (
	"k8s.io/apimachinery/pkg/util/intstr"
)

// PodDisruptionBudgetSpec limits how many pods may be evicted at the same time, for example by node drains.
type PodDisruptionBudgetSpec struct {
	// enabled creates a PodDisruptionBudget where one is useful: with more than one replica and storage that several
	// nodes can mount. For a single pod, a budget could only block drains for ever. It is also useless if the volume
	// keeps all pods on one node: the drain of that node ends only when all of them have left. Default true.
	// +optional
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`
	// maxUnavailable is the number of pods that may be unavailable: a number from 1, or 1% to 100% of the replicas,
	// rounded up. A draining pod counts as unavailable only until another pod has taken its place. Default 1.
	// +optional
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 : self.matches('^([1-9][0-9]?|100)%$')",message="podDisruptionBudget.maxUnavailable would let no pod go, so that no node could ever be drained, or is no number: write 1 or more, or a percentage as in 20%"
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`
}
