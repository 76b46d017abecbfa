package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkPolicySpec says who may connect to the pods.
//
// +kubebuilder:validation:XValidation:rule="self.enabled || !has(self.metricsFrom) || self.metricsFrom.size() == 0",message="networkPolicy.metricsFrom needs networkPolicy.enabled: without a policy everybody in the cluster reaches the admin port",fieldPath=".metricsFrom"
type NetworkPolicySpec struct {
	// enabled: true makes a NetworkPolicy that opens the control ports and exactly the declared
	// passive range, and nothing else. Default true. It acts only in clusters whose network
	// plugin enforces NetworkPolicies.
	// +optional
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`

	// allowedNetworks are the networks from which clients may connect, at most 64; nobody else can,
	// neither by the load balancer nor by a node port nor from within the cluster, whose pods'
	// network is to be named too if it is meant. The NetworkPolicy keeps them, and so do the
	// daemons, which refuse new sessions from elsewhere with 421. It needs the clients' real
	// addresses: one replica under externalTrafficPolicy Local (the defaults), type ClusterIP, or
	// service.proxyProtocol, with which the daemons alone keep them. Default: anybody.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	AllowedNetworks []Network `json:"allowedNetworks,omitempty"`

	// metricsFrom are the pods that may read the metrics (path /metrics of port 8021), at most 16
	// selections. Default: none; the operator itself always reaches that port, and so does the
	// kubelet, for its probes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	MetricsFrom []PodPeer `json:"metricsFrom,omitempty"`
}

// PodPeer selects pods that may connect, as a NetworkPolicy does.
//
// +kubebuilder:validation:XValidation:rule="has(self.namespaceSelector) || has(self.podSelector)",message="this selects nothing: give a namespaceSelector, a podSelector or both ({} selects all)"
type PodPeer struct {
	// namespaceSelector selects namespaces by their labels; {} is all of them. Default: the
	// FtpServer's own namespace. By name: matchLabels kubernetes.io/metadata.name.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// podSelector selects pods within those namespaces by their labels. Default: all of them.
	// +optional
	PodSelector *metav1.LabelSelector `json:"podSelector,omitempty"`
}
