package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// PodTemplateSpec configures the pods.
type PodTemplateSpec struct {
	// metadata is the labels and annotations of the pods.
	// +optional
	Metadata EmbeddedMetadata `json:"metadata,omitzero"`
	// resources are the requests and limits of the daemon's container. The daemon stays within its memory limit by
	// limiting sessions, password hashes and buffers; 128Mi is enough for some hundred sessions, and 64Mi is the
	// minimum. Default: requests of 50m CPU and 64Mi memory, each unless you set a limit for it, and no limits.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`
	// nodeSelector limits the pods to nodes that have all these labels.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// tolerations are the taints of nodes that the pods tolerate.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity is the affinity of the pods to nodes and to other pods. Default, as preferences: a pod avoids nodes
	// with another pod of its revision, and otherwise prefers a node with a pod that it replaces. If only one node
	// can mount the storage, the pods prefer to be together.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// topologySpreadConstraints say how the pods spread over nodes and zones. Default: evenly where possible, unless
	// only one node can mount the storage.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	// priorityClassName is the PriorityClass of the pods.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// imagePullSecrets are the Secrets for pulling the daemon's image, in the FtpServer's namespace.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// imagePullPolicy says when to pull the daemon's image: Always, IfNotPresent or Never. Default IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// terminationGracePeriodSeconds is the longest time, in seconds, for which a terminating pod may let its running
	// transfers continue: 10 to 604800 (a week). Default 3600.
	// +optional
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=604800
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`
}
