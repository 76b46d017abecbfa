package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AddressSource says where the advertised address comes from.
type AddressSource string

// These are the sources of an advertised address, the preferred one first.
const (
	AddressFromSpec                 AddressSource = "Spec"
	AddressFromLoadBalancerIP       AddressSource = "LoadBalancerIP"
	AddressFromLoadBalancerHostname AddressSource = "LoadBalancerHostname"
	AddressFromNodeExternalIP       AddressSource = "NodeExternalIP"
	AddressFromNodeInternalIP       AddressSource = "NodeInternalIP"
	AddressFromClusterIP            AddressSource = "ClusterIP"
)

// DataPeerCheck says what proves to which client a data connection belongs.
type DataPeerCheck string

// These are the checks, from the weakest to the strictest.
const (
	DataPeerRelaxed    DataPeerCheck = "Relaxed"
	DataPeerTLSSession DataPeerCheck = "TLSSession"
	DataPeerStrict     DataPeerCheck = "Strict"
)

// FtpServerStatus is the observed state of a FtpServer.
type FtpServerStatus struct {
	// observedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions: Ready, Stalled, Reconciling (kstatus), Suspended, Available, UsersReady, CertificateReady,
	// StorageReady, AddressResolved, PassivePortsExposed, PassivePortsAssigned, ConfigLoaded, PortsWithinLimits,
	// ClientNetworksEnforced, ScaleAsDeclared, CRDCurrent, in this order. Ready names the first cause of trouble. A
	// condition that is False while Ready is True says what to fix although the server works.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// endpoint is where clients connect, as in ftp://203.0.113.10:21; empty while that is not known. For service.type
	// NodePort with externalTrafficPolicy Local it names the node whose pod takes new sessions, so it changes when
	// another node's pod takes over.
	// +optional
	Endpoint string `json:"endpoint,omitempty"`
	// ftpsEndpoint is where clients connect with implicit TLS, as in ftps://203.0.113.10:990; empty if there is none.
	// +optional
	FTPSEndpoint string `json:"ftpsEndpoint,omitempty"`
	// endpoints are endpoint and ftpsEndpoint in parts, for programs.
	// +optional
	// +listType=atomic
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// certificateNotAfter is when the first of the certificates in use expires; empty without TLS.
	// +optional
	CertificateNotAfter *metav1.Time `json:"certificateNotAfter,omitempty"`
	// advertisedAddress is the address that PASV replies name. A withdrawn address stays until there is another,
	// which the condition AddressResolved reports. Where each pod names the address of its own node (service.type
	// NodePort with externalTrafficPolicy Local), this is the endpoint's address, and pods has that of each pod.
	// +optional
	AdvertisedAddress string `json:"advertisedAddress,omitempty"`
	// advertisedAddressSource says where that address comes from: Spec, LoadBalancerIP, LoadBalancerHostname,
	// NodeExternalIP, NodeInternalIP or ClusterIP.
	// +optional
	AdvertisedAddressSource AddressSource `json:"advertisedAddressSource,omitempty"`
	// dataPeerCheck says what proves that a data connection belongs to the client whose session asked for it: Strict
	// (it comes from the address of the control connection), TLSSession (addresses are hidden, but it must resume the
	// control connection's TLS session, or is refused) or Relaxed (only that it comes to the reserved port, which no
	// other session is given meanwhile). It is the weakest check that the running pods report.
	// +optional
	DataPeerCheck DataPeerCheck `json:"dataPeerCheck,omitempty"`
	// dataPeerCheckReason says why, and for Relaxed what would make it stricter.
	// +optional
	DataPeerCheckReason string `json:"dataPeerCheckReason,omitempty"`
	// port is the control port that clients connect to.
	// +optional
	Port int32 `json:"port,omitempty"`
	// passiveRange is the range of passive ports in use, as in 30000-30063. After the range was changed, it includes
	// the ports of the pods that still have old ones.
	// +optional
	PassiveRange string `json:"passiveRange,omitempty"`
	// passivePortRanges are the ports of passiveRange as ranges, the lowest first, for programs that open firewalls.
	// +optional
	// +listType=atomic
	PassivePortRanges []PortSpan `json:"passivePortRanges,omitempty"`
	// allocatedPortRange is the range that the operator chose for spec.passive.portCount, which says how long it
	// stays, as in 30000-30063; empty without portCount.
	// +optional
	AllocatedPortRange string `json:"allocatedPortRange,omitempty"`
	// pods lists the pods, with the passive ports that each of them holds.
	// +optional
	// +listType=map
	// +listMapKey=name
	Pods []PodStatus `json:"pods,omitempty"`
	// replicas is the number of pods that are not terminating.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// readyReplicas is the number of these pods that are ready.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas,omitempty"`
	// replicasSummary is the number of ready pods, of those wanted, as in 3/3.
	// +optional
	ReplicasSummary string `json:"replicasSummary,omitempty"`
	// scaledBy is the field manager that sets the number of pods in place of spec.replicas, through the scale
	// subresource of the Deployment: kube-controller-manager for a HorizontalPodAutoscaler, for example. It should be
	// empty: then spec.replicas counts, which autoscalers should set instead. spec.replicas counts again once it
	// equals the Deployment's number.
	// +optional
	ScaledBy string `json:"scaledBy,omitempty"`
	// selector selects the pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`
	// users is the number of accounts that can log in.
	// +optional
	Users int32 `json:"users,omitempty"`
	// usersSummary is the number of users that can log in, of those declared, as in 2/3. Anonymous login does not
	// count.
	// +optional
	UsersSummary string `json:"usersSummary,omitempty"`
}

// Endpoint is an address and a port that clients connect to.
type Endpoint struct {
	// scheme is ftp (without TLS, or with explicit TLS) or ftps (implicit TLS).
	// +required
	Scheme string `json:"scheme"`
	// address is an IP address or a host name.
	// +required
	Address string `json:"address"`
	// port is the control port that clients connect to, 1 to 65535.
	// +required
	Port int32 `json:"port"`
}

// PortSpan is a range of TCP ports that includes both ends. Unlike a PortRange, it may have any length.
type PortSpan struct {
	// start is the first port.
	// +required
	Start int32 `json:"start"`
	// end is the last port.
	// +required
	End int32 `json:"end"`
}

// PodStatus describes one pod.
type PodStatus struct {
	// name is the name of the pod.
	// +required
	Name string `json:"name"`
	// passivePorts are the pod's own passive ports, as in 30000-30015.
	// +optional
	PassivePorts string `json:"passivePorts,omitempty"`
	// node is the node that the pod runs on.
	// +optional
	Node string `json:"node,omitempty"`
	// state is Waiting (not ready yet: without ports or a running container, for example), Ready, or Draining.
	// +optional
	State PodState `json:"state,omitempty"`
	// advertisedIP is the IP address that the pod's PASV replies name (without an IPv4 address, the IPv6 one of the
	// server), as its daemon reports it; empty if the daemon could not be asked. A draining pod is not asked: for
	// service.type NodePort with externalTrafficPolicy Local this is then the address of its own node that it was
	// given, and otherwise empty.
	// +optional
	AdvertisedIP string `json:"advertisedIP,omitempty"`
}

// PodState is the state of a pod with regard to routing.
type PodState string

// These are the states of a pod.
const (
	PodWaiting  PodState = "Waiting"
	PodReady    PodState = "Ready"
	PodDraining PodState = "Draining"
)
