package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkPolicySpec limits which clients may connect to the pods.
//
// +kubebuilder:validation:XValidation:rule="self.enabled || !has(self.metricsFrom) || self.metricsFrom.size() == 0",message="networkPolicy.metricsFrom needs networkPolicy.enabled: without a policy everybody in the cluster reaches the admin port",fieldPath=".metricsFrom"
type NetworkPolicySpec struct {
	// enabled creates a NetworkPolicy that lets clients connect to the control ports and the passive ports in use,
	// and to no other port; outgoing connections are limited to active mode and DNS. Default true. It takes effect
	// only in clusters whose network plugin enforces NetworkPolicies.
	// +optional
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`

	// allowedNetworks are the only networks from which clients may connect, at most 64, be it through the load
	// balancer, through a node port or within the cluster: to allow pods, list their network, too. The NetworkPolicy
	// enforces this, and so do the daemons, which refuse other new sessions with 421. It needs the clients' real
	// addresses: one replica under externalTrafficPolicy Local (the defaults), type ClusterIP, or
	// service.proxyProtocol, with which only the daemons enforce it. Default: all networks.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	AllowedNetworks []Network `json:"allowedNetworks,omitempty"`

	// metricsFrom selects the pods that may read the metrics (path /metrics of port 8021), with at most 16 entries.
	// Default: none. The operator itself, and the kubelet for its probes, can always reach that port.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	MetricsFrom []PodPeer `json:"metricsFrom,omitempty"`
}

// PodPeer selects pods that may connect, in the same way as a NetworkPolicy.
//
// +kubebuilder:validation:XValidation:rule="has(self.namespaceSelector) || has(self.podSelector)",message="this selects nothing: give a namespaceSelector, a podSelector or both ({} selects all)"
type PodPeer struct {
	// namespaceSelector selects namespaces by their labels; {} selects all. Default: the FtpServer's own namespace.
	// To select one by its name, use the label kubernetes.io/metadata.name.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// podSelector selects pods in these namespaces by their labels. Default: all pods.
	// +optional
	PodSelector *metav1.LabelSelector `json:"podSelector,omitempty"`
}
