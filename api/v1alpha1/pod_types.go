package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// PodTemplateSpec shapes the pods.
type PodTemplateSpec struct {
	// metadata of the pods: labels and annotations.
	// +optional
	Metadata EmbeddedMetadata `json:"metadata,omitzero"`
	// resources of the daemon's container: requests and limits, as in any pod. The daemon keeps within its memory limit by
	// bounding sessions, password hashes and buffers; 128Mi is enough for some hundred sessions, and 64Mi is the least. Default: a request of
	// 50m of a processor and 64Mi of memory, and no limits.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`
	// nodeSelector: the pods run only on nodes with all these labels.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// tolerations of the pods: the taints of nodes that they accept.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity of the pods: to nodes, and to or from other pods. Default, as preferences: pods keep off
	// nodes that have one, and else a new pod runs where one runs that it is to replace; but pods
	// whose storage can be mounted on one node only run on the same one.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// topologySpreadConstraints of the pods: how they spread over nodes and zones. Default: evenly
	// where possible, unless the storage can be mounted on one node only.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	// priorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// imagePullSecrets for the daemon's image: names of Secrets in the FtpServer's namespace.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// imagePullPolicy of the daemon's image: Always, IfNotPresent or Never. Default IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// terminationGracePeriodSeconds is the longest time, in seconds, that a pod that is being
	// replaced may take to let its running transfers end: 10 to 604800 (a week). Default 3600.
	// +optional
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=604800
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`
}
