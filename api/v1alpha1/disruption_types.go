package v1alpha1

import (
	"k8s.io/apimachinery/pkg/util/intstr"
)

// PodDisruptionBudgetSpec bounds how many pods a node drain, or whatever else evicts pods, may take
// at a time.
type PodDisruptionBudgetSpec struct {
	// enabled: true makes a PodDisruptionBudget wherever one is of use: for more than one replica,
	// with storage that several nodes can mount. A single pod needs none: it could only forbid drains
	// for ever. Nor do pods whose volume keeps them on one node: it is drained only when all of
	// them have left it. Default true.
	// +optional
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`
	// maxUnavailable is how many pods may be missing, as a number from 1 or as a percentage from
	// 1% to 100% of the replicas, rounded up. A pod that drains counts as missing only until another
	// one has taken its place. Default 1.
	// +optional
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 : self.matches('^([1-9][0-9]?|100)%$')",message="podDisruptionBudget.maxUnavailable would let no pod go, so that no node could ever be drained, or is no number: write 1 or more, or a percentage as in 20%"
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`
}
