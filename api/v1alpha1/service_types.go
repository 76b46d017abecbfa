package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// ServiceSpec shapes the Service that clients reach.
//
// +kubebuilder:validation:XValidation:rule="!has(self.nodePort) || self.type != 'ClusterIP'",message="service.nodePort needs service.type NodePort or LoadBalancer: leave it out, or change the type",fieldPath=".nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.nodePort) || 30000 <= self.nodePort && self.nodePort <= 32767",message="service.nodePort lies outside the cluster's node port range: choose one of 30000-32767, or leave it out",fieldPath=".nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.externalTrafficPolicy) || self.type != 'ClusterIP'",message="service.externalTrafficPolicy needs service.type NodePort or LoadBalancer: leave it out, or change the type",fieldPath=".externalTrafficPolicy"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",message="service.loadBalancerClass needs service.type LoadBalancer: leave it out, or change the type",fieldPath=".loadBalancerClass"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerSourceRanges) || self.loadBalancerSourceRanges.size() == 0 || self.type == 'LoadBalancer'",message="service.loadBalancerSourceRanges needs service.type LoadBalancer: leave it out, or change the type",fieldPath=".loadBalancerSourceRanges"
// +kubebuilder:validation:XValidation:rule="!has(self.allocateLoadBalancerNodePorts) || self.type == 'LoadBalancer'",message="service.allocateLoadBalancerNodePorts needs service.type LoadBalancer: leave it out, or change the type",fieldPath=".allocateLoadBalancerNodePorts"
// +kubebuilder:validation:XValidation:rule="self.type != 'LoadBalancer' || oldSelf.type != 'LoadBalancer' || has(self.loadBalancerClass) == has(oldSelf.loadBalancerClass) && (!has(self.loadBalancerClass) || self.loadBalancerClass == oldSelf.loadBalancerClass)",message="service.loadBalancerClass of a load balancer that exists can't be changed: put it back, or set service.type to ClusterIP first and then to LoadBalancer with the new class",fieldPath=".loadBalancerClass"
type ServiceSpec struct {
	// type is LoadBalancer (default), NodePort or ClusterIP. With NodePort every passive port is
	// also the node port, since a client dials the port that PASV names; the range must then lie
	// in the cluster's node port range (30000-32767 unless the cluster says otherwise), where
	// the cluster gives 30000-30085 to nobody by itself. See passive.portCount to have them chosen.
	// +optional
	// +kubebuilder:default=LoadBalancer
	// +kubebuilder:validation:Enum=LoadBalancer;NodePort;ClusterIP
	Type corev1.ServiceType `json:"type,omitempty"`

	// port is the control port of the Service, 1 to 65535, outside the passive range. Default 21.
	// +optional
	// +kubebuilder:default=21
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// nodePort is the node port of the control port, for type NodePort or LoadBalancer, in the
	// cluster's node port range. Unset, the cluster chooses one.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort *int32 `json:"nodePort,omitempty"`

	// externalTrafficPolicy, for type NodePort or LoadBalancer: Local keeps the clients' real
	// addresses and allows one replica at most; Cluster serves any number and hides the clients
	// behind the nodes' addresses. Default: Local for one replica, Cluster for more.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy corev1.ServiceExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// annotations are put on the Service, for load balancers that are told by them. Keys of
	// ftp-operator.io/ belong to the operator. With MetalLB's metallb.io/allow-shared-ip Services of
	// the same value share an address if all their ports differ, port and the passive ports above
	// all, and externalTrafficPolicy is Cluster.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('ftp-operator.io/'))",message="annotations of ftp-operator.io/ belong to the operator: use another prefix"
	Annotations map[string]string `json:"annotations,omitempty"`

	// labels are put on the Service. Keys of ftp-operator.io/ belong to the operator, and where
	// it sets the same key (app.kubernetes.io/name and the like), its value wins.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('ftp-operator.io/'))",message="labels of ftp-operator.io/ belong to the operator: use another prefix"
	Labels map[string]string `json:"labels,omitempty"`

	// loadBalancerClass names the load balancer implementation, as in example.com/lb. Default:
	// the cluster's. It can't be changed while the type is LoadBalancer.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')",message="service.loadBalancerClass is a label-style name with an optional prefix: write it as in internal-vip or example.com/internal-vip"
	LoadBalancerClass *string `json:"loadBalancerClass,omitempty"`

	// loadBalancerSourceRanges are the client networks (CIDR, as in 203.0.113.0/24) that the
	// load balancer lets in, at most 64. Default: all. They are about what comes by the load
	// balancer: under externalTrafficPolicy Cluster who reaches a node's address could dial the
	// node ports past it, unless allocateLoadBalancerNodePorts is false. Under Local the
	// NetworkPolicy keeps them there too. See networkPolicy.allowedNetworks.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="a source range is a network in CIDR form: write it as in 203.0.113.0/24 or 2001:db8::/32 (a single address with /32 or /128)"
	LoadBalancerSourceRanges []string `json:"loadBalancerSourceRanges,omitempty"`

	// allocateLoadBalancerNodePorts: false spares a node port for each port, for load balancers
	// that reach pods or Service addresses without node ports. Default true.
	// +optional
	AllocateLoadBalancerNodePorts *bool `json:"allocateLoadBalancerNodePorts,omitempty"`

	// proxyProtocol reads the PROXY protocol (versions 1 and 2), by which a load balancer tells the
	// clients' addresses, on the control ports and on the passive ports. Switch it on at the load
	// balancer for all of them. Default: it is not read.
	// +optional
	ProxyProtocol *ProxyProtocolSpec `json:"proxyProtocol,omitempty"`

	// ipFamilyPolicy of the Service: SingleStack, PreferDualStack or RequireDualStack. Default:
	// the cluster's, SingleStack.
	// +optional
	// +kubebuilder:validation:Enum=SingleStack;PreferDualStack;RequireDualStack
	IPFamilyPolicy *corev1.IPFamilyPolicy `json:"ipFamilyPolicy,omitempty"`
}

// ProxyProtocolMode says what is expected of connections.
// +kubebuilder:validation:Enum=Accept;Require
type ProxyProtocolMode string

const (
	// ProxyProtocolAccept takes connections from elsewhere than the trusted networks without a header.
	ProxyProtocolAccept ProxyProtocolMode = "Accept"
	// ProxyProtocolRequire refuses them.
	ProxyProtocolRequire ProxyProtocolMode = "Require"
)

// ProxyProtocolSpec is the PROXY protocol.
type ProxyProtocolSpec struct {
	// mode is Accept (default) or Require. Trusted networks must send a header in both; Accept takes
	// connections from elsewhere for what they are, clients without a proxy (in the cluster, as a
	// rule), and Require refuses them.
	// +optional
	// +kubebuilder:default=Accept
	Mode ProxyProtocolMode `json:"mode,omitempty"`
	// trusted are the networks of the load balancer as the pods see it, at most 64: with
	// externalTrafficPolicy Cluster these are the nodes' addresses, and for a pod on the node that a
	// connection comes by the one that the node has on its pods' network (10.244.1.1, say). Without
	// this setting, the peers in the audit log are they. A header from elsewhere is never believed.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Trusted []Network `json:"trusted"`
}

// PassiveSpec is passive mode (PASV, EPSV).
//
// +kubebuilder:validation:XValidation:rule="!has(self.portRange) || !has(self.portCount)",message="passive.portRange and passive.portCount exclude each other: keep portRange to choose the ports yourself, or portCount to have them chosen",fieldPath=".portCount"
type PassiveSpec struct {
	// portRange is the one declared range of passive ports. Default, without portCount too:
	// 30000-30031. The daemon's listeners, the Service, the EndpointSlices, the NetworkPolicy and
	// the PASV replies all come from it. A port is held only from a PASV reply to the data
	// connection, not for the transfer, so ten carry many concurrent transfers; load balancers often
	// allow few (an AWS NLB 49). In a changed range, ports that go are drained, not cut.
	//
	// With service.type NodePort the ports are node ports, which a cluster has only once. While
	// another Service holds one of them the condition PassivePortsExposed says which and whose, the
	// Service stays as it is, and the rest is done once they come free. Services that share a load
	// balancer's address (MetalLB's annotation allow-shared-ip) have its ports only once, too.
	// +optional
	PortRange PortRange `json:"portRange,omitzero"`

	// portCount is the number of passive ports, 2 to 1000, at least replicas + 1, instead of
	// portRange: the operator chooses the ports. It takes the lowest that follow one another and
	// that no other FtpServer has and, for service.type NodePort, no Service of the cluster has as
	// node ports; and records them in status.allocatedPortRange. They stay for the server's life,
	// unless they come to be impossible (the type becomes NodePort and they lie outside the
	// cluster's node port range, say). With another count as many of them stay as can.
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=1000
	PortCount int32 `json:"portCount,omitempty"`

	// warmUp is how long a new pod's passive ports are published before its control port is, while other pods take the
	// sessions: 0s to 5m. Load balancers that check each port send nothing to one that has not passed. Default: what
	// those of its kind take (15s on Azure; 35s for an AWS Network Load Balancer, 95s for one that is not made by the AWS
	// Load Balancer Controller), else 2s, in which the nodes follow.
	// Set it above interval times threshold of your load balancer's checks if you changed those.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('0s') && duration(self) <= duration('5m')",message="passive.warmUp is out of range: write 0s to 5m"
	WarmUp Duration `json:"warmUp,omitempty"`

	// advertisedAddress is the IP address or host name that PASV names. A host name is resolved
	// by the pods, and again every 30 seconds; of several addresses a pod keeps the one that it
	// names while the name still has it, and else takes the lowest; while the name can't be
	// resolved the last good answer serves. Default, the first of: the load balancer's IP; the
	// load balancer's host name (resolved); for NodePort a node's external, else internal, IP (with
	// externalTrafficPolicy Local each pod names its own node, which alone leads to it); for
	// ClusterIP the cluster IP. Of several of one kind, too, the one in use stays, and else the
	// lowest is taken, IPv4 first: PASV can't name IPv6 addresses, and without an IPv4 one only
	// EPSV works. An address that is withdrawn is kept until there is another. Set it where clients
	// reach the server by yet another address.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="isIP(self) || (self.matches('^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$') && !self.matches('(^|[.])[0-9]+$'))",message="passive.advertisedAddress is neither an IP address nor a host name: write it as in 203.0.113.10 or ftp.example.com, without a port or scheme"
	// +kubebuilder:validation:XValidation:rule="!isIP(self) || ip(self).isLoopback() || ip(self).isGlobalUnicast() || ip(self).isLinkLocalUnicast()",message="passive.advertisedAddress is no address that a client could dial (unspecified, multicast or broadcast): write the one that clients reach, or leave it out to have it found"
	AdvertisedAddress string `json:"advertisedAddress,omitempty"`

	// advertisedAddressFrom: ProxyProtocol makes PASV name the address that the client has dialled,
	// where the load balancer tells it in the PROXY header of the control connection (see
	// service.proxyProtocol); advertisedAddress, or what is found, serves where it does not. This is
	// for load balancers with several addresses. Default: it is not used.
	// +optional
	AdvertisedAddressFrom AdvertisedAddressSource `json:"advertisedAddressFrom,omitempty"`

	// overrides are addresses that PASV names instead to clients of certain networks, which reach
	// the server by another way (from inside a NAT, say); at most 32. The first that covers the
	// client counts.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Overrides []AddressOverride `json:"overrides,omitempty"`
}

// AdvertisedAddressSource is where pods find the address that PASV names.
// +kubebuilder:validation:Enum=ProxyProtocol
type AdvertisedAddressSource string

// AdvertisedFromProxyProtocol is the destination in the PROXY header of the control connection.
const AdvertisedFromProxyProtocol AdvertisedAddressSource = "ProxyProtocol"

// AddressSourceName names an address that the operator finds.
// +kubebuilder:validation:Enum=ClusterIP
type AddressSourceName string

// OverrideFromClusterIP is the Service's own cluster IP.
const OverrideFromClusterIP AddressSourceName = "ClusterIP"

// AddressOverride is the address that PASV names to some clients: exactly one of address and
// addressFrom says which.
//
// +kubebuilder:validation:XValidation:rule="has(self.address) != has(self.addressFrom)",message="an override names its address in one way: set either address, or addressFrom to ClusterIP"
type AddressOverride struct {
	// clients are their networks, 1 to 64. They are compared with the addresses that the pods see.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Clients []Network `json:"clients"`
	// address is an IP address or a host name, as advertisedAddress is.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="isIP(self) || (self.matches('^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$') && !self.matches('(^|[.])[0-9]+$'))",message="the address of an override is neither an IP address nor a host name: write it as in 10.0.0.10 or ftp.example.internal, without a port or scheme"
	// +kubebuilder:validation:XValidation:rule="!isIP(self) || ip(self).isLoopback() || ip(self).isGlobalUnicast() || ip(self).isLinkLocalUnicast()",message="the address of an override is none that a client could dial (unspecified, multicast or broadcast): write the one that these clients reach"
	Address string `json:"address,omitempty"`
	// addressFrom: ClusterIP names the Service's own cluster IP (the IPv4 one of two), for clients
	// inside the cluster; clients are then the networks of its pods and nodes. With
	// externalTrafficPolicy Cluster (or a load balancer that makes connections of its own) clients
	// from outside show addresses of nodes, so give the networks of pods alone.
	// +optional
	AddressFrom AddressSourceName `json:"addressFrom,omitempty"`
}

// PortRange is a range of TCP ports, both ends inclusive.
//
// +kubebuilder:validation:XValidation:rule="self.start <= self.end",message="the range is reversed: swap start and end"
// +kubebuilder:validation:XValidation:rule="self.end - self.start < 1000",message="the range may hold at most 1000 ports: set end to start + 999 or less"
// +kubebuilder:validation:XValidation:rule="[2121, 8021, 8022, 9990].all(p, p < self.start || p > self.end)",message="the range holds 2121, 8021, 8022 or 9990, where the daemon listens for control connections, probes and its management in its pod: move the range"
type PortRange struct {
	// start is the first port, 1024 to 65535.
	// +required
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	Start int32 `json:"start"`
	// end is the last port, start to 65535; at most 1000 ports in all, and at least replicas + 1.
	// +required
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	End int32 `json:"end"`
}

// ActiveSpec is active mode (PORT, EPRT).
type ActiveSpec struct {
	// enabled: true allows PORT and EPRT, for clients that can't use passive mode and are not
	// behind NAT or a firewall. The pods may then open connections to the clients' ports from
	// 1024 up. Default false.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// sourcePort is the port to dial from, 1 to 1023: 20 (RFC 959), for clients' firewalls that
	// expect it. It reaches them only where nothing between pods and clients translates addresses.
	// Pods are replaced when it is first set, since it takes a right of theirs. Default: any port.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1023
	SourcePort int32 `json:"sourcePort,omitempty"`
}
