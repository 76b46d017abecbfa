package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AddressSource says where the advertised address came from.
type AddressSource string

// The sources of an advertised address, in the order in which they are preferred.
const (
	AddressFromSpec                 AddressSource = "Spec"
	AddressFromLoadBalancerIP       AddressSource = "LoadBalancerIP"
	AddressFromLoadBalancerHostname AddressSource = "LoadBalancerHostname"
	AddressFromNodeExternalIP       AddressSource = "NodeExternalIP"
	AddressFromNodeInternalIP       AddressSource = "NodeInternalIP"
	AddressFromClusterIP            AddressSource = "ClusterIP"
)

// DataPeerCheck says what proves whose a data connection is.
type DataPeerCheck string

// The checks, from the weakest to the strictest.
const (
	DataPeerRelaxed    DataPeerCheck = "Relaxed"
	DataPeerTLSSession DataPeerCheck = "TLSSession"
	DataPeerStrict     DataPeerCheck = "Strict"
)

// FtpServerStatus is what was observed.
type FtpServerStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions: Ready, Stalled, Reconciling (kstatus), Suspended, Available, UsersReady, CertificateReady,
	// StorageReady, AddressResolved, PassivePortsExposed, PassivePortsAssigned, ConfigLoaded, PortsWithinLimits,
	// ClientNetworksEnforced, ScaleAsDeclared, CRDCurrent, in this order. Ready names the first cause of trouble. One that is False
	// while Ready is True says what to mend while the server serves.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// endpoint is where clients connect, as in ftp://203.0.113.10:21. For service.type NodePort with
	// externalTrafficPolicy Local it names the node whose pod takes new sessions, and so changes when another
	// node's pod does.
	// +optional
	Endpoint string `json:"endpoint,omitempty"`
	// ftpsEndpoint is where clients connect with implicit TLS, as in ftps://203.0.113.10:990; empty
	// if there is none.
	// +optional
	FTPSEndpoint string `json:"ftpsEndpoint,omitempty"`
	// endpoints are endpoint and ftpsEndpoint in parts, for programs.
	// +optional
	// +listType=atomic
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// certificateNotAfter is when the first of the certificates in use ends; empty without TLS.
	// +optional
	CertificateNotAfter *metav1.Time `json:"certificateNotAfter,omitempty"`
	// advertisedAddress is the address that PASV replies name. One that is withdrawn stays until
	// there is another; the condition AddressResolved tells of it. Where each pod names the address of
	// its own node (service.type NodePort with externalTrafficPolicy Local) it is the endpoint's, and
	// pods has that of each.
	// +optional
	AdvertisedAddress string `json:"advertisedAddress,omitempty"`
	// advertisedAddressSource says where it came from: Spec, LoadBalancerIP,
	// LoadBalancerHostname, NodeExternalIP, NodeInternalIP or ClusterIP.
	// +optional
	AdvertisedAddressSource AddressSource `json:"advertisedAddressSource,omitempty"`
	// dataPeerCheck says what proves that a data connection is the client's whose session asked for
	// it: Strict (it comes from the address of the control connection), TLSSession (addresses are
	// hidden, but it resumes the control connection's TLS session, or is refused) or Relaxed
	// (nothing but that it dials the reserved port; no other session is given that port meanwhile).
	// It is the weakest of what the pods that run say that they do.
	// +optional
	DataPeerCheck DataPeerCheck `json:"dataPeerCheck,omitempty"`
	// dataPeerCheckReason says why, and for Relaxed what would make it stricter.
	// +optional
	DataPeerCheckReason string `json:"dataPeerCheckReason,omitempty"`
	// port is the control port that clients dial.
	// +optional
	Port int32 `json:"port,omitempty"`
	// passiveRange is the range of passive ports in use, as in 30000-30063. While a changed
	// range is taking over it also holds the ports of the pods that still have the old ones.
	// +optional
	PassiveRange string `json:"passiveRange,omitempty"`
	// passivePortRanges are the ports of passiveRange as ranges, lowest first, for programs that open
	// firewalls.
	// +optional
	// +listType=atomic
	PassivePortRanges []PortSpan `json:"passivePortRanges,omitempty"`
	// allocatedPortRange is the range that was chosen for spec.passive.portCount, as in 30000-30063.
	// It stays for the server's life.
	// +optional
	AllocatedPortRange string `json:"allocatedPortRange,omitempty"`
	// pods tells which pod holds which passive ports.
	// +optional
	// +listType=map
	// +listMapKey=name
	Pods []PodStatus `json:"pods,omitempty"`
	// replicas is the number of pods that are not terminating.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// readyReplicas is how many of them are ready.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas,omitempty"`
	// replicasSummary is ready/wanted, as in 3/3.
	// +optional
	ReplicasSummary string `json:"replicasSummary,omitempty"`
	// scaledBy is who sets the number of pods in place of spec.replicas, through the scale subresource
	// of the Deployment: the name of a field manager, as in kube-controller-manager for a
	// HorizontalPodAutoscaler. Empty, as it should be: spec.replicas counts, at which autoscalers
	// should aim. It counts again once it says what the Deployment has.
	// +optional
	ScaledBy string `json:"scaledBy,omitempty"`
	// selector of the pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`
	// users is the number of accounts that can log in.
	// +optional
	Users int32 `json:"users,omitempty"`
	// usersSummary is how many of the declared users can log in, as in 2/3. Anonymous login does not count.
	// +optional
	UsersSummary string `json:"usersSummary,omitempty"`
}

// Endpoint is an address and port at which clients connect.
type Endpoint struct {
	// scheme is ftp (without TLS, or with explicit TLS) or ftps (implicit TLS).
	// +required
	Scheme string `json:"scheme"`
	// address is an IP address or a host name.
	// +required
	Address string `json:"address"`
	// port is the control port that clients dial, 1 to 65535.
	// +required
	Port int32 `json:"port"`
}

// PortSpan is a run of TCP ports without a gap, both ends inclusive. Unlike a PortRange, it may be of any length.
type PortSpan struct {
	// start is the first port.
	// +required
	Start int32 `json:"start"`
	// end is the last port.
	// +required
	End int32 `json:"end"`
}

// PodStatus tells what one pod holds.
type PodStatus struct {
	// name of the pod.
	// +required
	Name string `json:"name"`
	// passivePorts are the pod's own, as in 30000-30015.
	// +optional
	PassivePorts string `json:"passivePorts,omitempty"`
	// node that it runs on.
	// +optional
	Node string `json:"node,omitempty"`
	// state is Waiting (for ports or its container), Ready, or Draining.
	// +optional
	State PodState `json:"state,omitempty"`
	// advertisedIP is the IP address that its PASV replies name (or that stands for the server in
	// IPv6, where it has no IPv4 address), as its daemon says; empty if the daemon could not be
	// asked. A pod that drains is not asked: for service.type NodePort with externalTrafficPolicy Local it
	// is the address of the pod's own node, which it was told, and else empty.
	// +optional
	AdvertisedIP string `json:"advertisedIP,omitempty"`
}

// PodState is the state of a pod as the routing sees it.
type PodState string

// The states of a pod.
const (
	PodWaiting  PodState = "Waiting"
	PodReady    PodState = "Ready"
	PodDraining PodState = "Draining"
)
