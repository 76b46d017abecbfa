package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// ServiceSpec configures the Service that clients connect to.
//
// +kubebuilder:validation:XValidation:rule="!has(self.nodePort) || self.type != 'ClusterIP'",message="service.nodePort needs service.type NodePort or LoadBalancer: leave it out, or change the type",fieldPath=".nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.nodePort) || 30000 <= self.nodePort && self.nodePort <= 32767",message="service.nodePort lies outside the cluster's node port range: choose one of 30000-32767, or leave it out",fieldPath=".nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.externalTrafficPolicy) || self.type != 'ClusterIP'",message="service.externalTrafficPolicy needs service.type NodePort or LoadBalancer: leave it out, or change the type",fieldPath=".externalTrafficPolicy"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",message="service.loadBalancerClass needs service.type LoadBalancer: leave it out, or change the type",fieldPath=".loadBalancerClass"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerSourceRanges) || self.loadBalancerSourceRanges.size() == 0 || self.type == 'LoadBalancer'",message="service.loadBalancerSourceRanges needs service.type LoadBalancer: leave it out, or change the type",fieldPath=".loadBalancerSourceRanges"
// +kubebuilder:validation:XValidation:rule="!has(self.allocateLoadBalancerNodePorts) || self.type == 'LoadBalancer'",message="service.allocateLoadBalancerNodePorts needs service.type LoadBalancer: leave it out, or change the type",fieldPath=".allocateLoadBalancerNodePorts"
// +kubebuilder:validation:XValidation:rule="self.type != 'LoadBalancer' || oldSelf.type != 'LoadBalancer' || has(self.loadBalancerClass) == has(oldSelf.loadBalancerClass) && (!has(self.loadBalancerClass) || self.loadBalancerClass == oldSelf.loadBalancerClass)",message="service.loadBalancerClass of a load balancer that exists can't be changed: put it back, or set service.type to ClusterIP first and then to LoadBalancer with the new class",fieldPath=".loadBalancerClass"
type ServiceSpec struct {
	// type is LoadBalancer (default), NodePort or ClusterIP. With NodePort every passive port is also the node port,
	// since a client connects to the port that PASV names. The range must then lie in the cluster's node port range
	// (30000-32767 by default), of which the cluster itself assigns 30000-30085 only when the others are used up.
	// With passive.portCount the operator chooses the ports.
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

	// nodePort is the node port of the control port, for type NodePort or LoadBalancer, in the cluster's node port
	// range. Default: the cluster chooses one.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort *int32 `json:"nodePort,omitempty"`

	// externalTrafficPolicy is for type NodePort or LoadBalancer. Local keeps the clients' real addresses and allows
	// at most one replica; Cluster allows any number and hides the clients behind the nodes' addresses. Default:
	// Local for one replica, Cluster for more.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy corev1.ServiceExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// annotations are added to the Service, for load balancers that read them. Keys with the prefix ftp-operator.io/
	// are reserved for the operator. With MetalLB's annotation metallb.io/allow-shared-ip, Services with the same
	// value share an address if all their ports differ, above all port and the passive ports, and
	// externalTrafficPolicy is Cluster.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('ftp-operator.io/'))",message="annotations of ftp-operator.io/ belong to the operator: use another prefix"
	Annotations map[string]string `json:"annotations,omitempty"`

	// labels are added to the Service. Keys with the prefix ftp-operator.io/ are reserved for the operator. Where it
	// sets the same key (app.kubernetes.io/name and the like), its value wins.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('ftp-operator.io/'))",message="labels of ftp-operator.io/ belong to the operator: use another prefix"
	Labels map[string]string `json:"labels,omitempty"`

	// loadBalancerClass names the load balancer implementation, as in example.com/lb. Default: the cluster's default
	// one. It can't be changed while type is LoadBalancer.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')",message="service.loadBalancerClass is a label-style name with an optional prefix: write it as in internal-vip or example.com/internal-vip"
	LoadBalancerClass *string `json:"loadBalancerClass,omitempty"`

	// loadBalancerSourceRanges are the client networks (CIDR, as in 203.0.113.0/24) that the load balancer admits, at
	// most 64. Default: all. They limit only connections through the load balancer: under externalTrafficPolicy
	// Cluster, clients that can reach a node could bypass it through the node ports, unless
	// allocateLoadBalancerNodePorts is false. Under Local the NetworkPolicy enforces the ranges there, too. See
	// networkPolicy.allowedNetworks.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="a source range is a network in CIDR form: write it as in 203.0.113.0/24 or 2001:db8::/32 (a single address with /32 or /128)"
	LoadBalancerSourceRanges []string `json:"loadBalancerSourceRanges,omitempty"`

	// allocateLoadBalancerNodePorts says whether each port gets a node port. Set it to false for load balancers that
	// reach pods or Service addresses without node ports. Default true.
	// +optional
	AllocateLoadBalancerNodePorts *bool `json:"allocateLoadBalancerNodePorts,omitempty"`

	// proxyProtocol makes the pods read the PROXY protocol (versions 1 and 2), by which a load balancer reports the
	// clients' addresses, on the control ports and the passive ports. Enable it at the load balancer for all of them.
	// Default: it is not read.
	// +optional
	ProxyProtocol *ProxyProtocolSpec `json:"proxyProtocol,omitempty"`

	// ipFamilyPolicy is the Service's: SingleStack, PreferDualStack or RequireDualStack. Default: the cluster's,
	// SingleStack.
	// +optional
	// +kubebuilder:validation:Enum=SingleStack;PreferDualStack;RequireDualStack
	IPFamilyPolicy *corev1.IPFamilyPolicy `json:"ipFamilyPolicy,omitempty"`
}

// ProxyProtocolMode says whether connections from outside the trusted networks are accepted.
// +kubebuilder:validation:Enum=Accept;Require
type ProxyProtocolMode string

const (
	// ProxyProtocolAccept accepts connections from outside the trusted networks, without a header.
	ProxyProtocolAccept ProxyProtocolMode = "Accept"
	// ProxyProtocolRequire refuses connections from outside the trusted networks.
	ProxyProtocolRequire ProxyProtocolMode = "Require"
)

// ProxyProtocolSpec configures the PROXY protocol.
type ProxyProtocolSpec struct {
	// mode is Accept (default) or Require. Trusted networks must send a header in both modes. Accept takes
	// connections from elsewhere as clients without a proxy (usually in the cluster), and Require refuses them.
	// +optional
	// +kubebuilder:default=Accept
	Mode ProxyProtocolMode `json:"mode,omitempty"`
	// trusted are the networks of the load balancer as the pods see it, at most 64. With externalTrafficPolicy
	// Cluster these are the nodes' addresses; a connection that comes through the pod's own node has that node's
	// address on its pods' network (for example 10.244.1.1). Without this setting, the audit log shows them as the
	// peers. A header from elsewhere is never believed.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Trusted []Network `json:"trusted"`
}

// PassiveSpec configures passive mode (PASV, EPSV).
//
// +kubebuilder:validation:XValidation:rule="!has(self.portRange) || !has(self.portCount)",message="passive.portRange and passive.portCount exclude each other: keep portRange to choose the ports yourself, or portCount to have them chosen",fieldPath=".portCount"
type PassiveSpec struct {
	// portRange is the range of passive ports. Default, unless portCount is set: 30000-30031. The daemon's listeners,
	// the Service, the EndpointSlices, the NetworkPolicy and the PASV replies all use it. A port is reserved only
	// from a PASV reply to the data connection, not for the transfer, so ten ports carry many concurrent transfers;
	// load balancers often allow few (an AWS NLB 49). When the range changes, the removed ports are drained, not cut.
	//
	// With service.type NodePort the ports are node ports, which exist only once in a cluster. While another Service
	// holds one of them, the condition PassivePortsExposed names the port and its holder, and the Service stays as it
	// is until the port is free. Services that share a load balancer's address (MetalLB's annotation allow-shared-ip)
	// can't have a port in common, either.
	// +optional
	PortRange PortRange `json:"portRange,omitzero"`

	// portCount is the number of passive ports, 2 to 1000, at least replicas + 1. It replaces portRange: the operator
	// chooses the ports and records them in status.allocatedPortRange. They are the lowest consecutive ports, from
	// the start of the cluster's node port range on, that no other FtpServer has and, for service.type NodePort, no
	// Service has as node ports. They stay for the server's life, unless they become impossible (the type becomes
	// NodePort and they lie outside the node port range, for example). If the count changes, as many of them stay as
	// can.
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=1000
	PortCount int32 `json:"portCount,omitempty"`

	// warmUp is the time for which a new pod's passive ports are published before its control port is, while other
	// pods take the sessions: 0s to 5m. Load balancers that check each port send nothing to a port that has not
	// passed its check. Default, for their default checks: 15s on Azure; 35s for an AWS Network Load Balancer, or 95s
	// under externalTrafficPolicy Cluster if the AWS Load Balancer Controller does not manage it; otherwise 2s for
	// the nodes. If you changed the checks, set it above their interval times their threshold.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('0s') && duration(self) <= duration('5m')",message="passive.warmUp is out of range: write 0s to 5m"
	WarmUp Duration `json:"warmUp,omitempty"`

	// advertisedAddress is the IP address or host name that PASV names. The pods resolve a host name, and again every
	// 30 seconds. Of several addresses, a pod keeps the one that it names while the name still has it, or else takes
	// the lowest; while the name can't be resolved, the last good answer stays in use. Default, the first that exists
	// of: the load balancer's IP; the load balancer's host name (resolved); for NodePort a node's external or else
	// internal IP (with externalTrafficPolicy Local each pod names its own node, the only one that leads to it); for
	// ClusterIP the cluster IP. Of several of one kind, the one in use stays, or else the lowest is taken, IPv4
	// first: PASV can't name IPv6 addresses, and without an IPv4 address only EPSV works. A withdrawn address stays
	// until there is another. Set this field where clients reach the server by a different address.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="isIP(self) || (self.matches('^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$') && !self.matches('(^|[.])[0-9]+$'))",message="passive.advertisedAddress is neither an IP address nor a host name: write it as in 203.0.113.10 or ftp.example.com, without a port or scheme"
	// +kubebuilder:validation:XValidation:rule="!isIP(self) || ip(self).isLoopback() || ip(self).isGlobalUnicast() || ip(self).isLinkLocalUnicast()",message="passive.advertisedAddress is no address that a client could dial (unspecified, multicast or broadcast): write the one that clients reach, or leave it out to have it found"
	AdvertisedAddress string `json:"advertisedAddress,omitempty"`

	// advertisedAddressFrom: ProxyProtocol makes PASV name the address that the client connected to, as the load
	// balancer reports it in the PROXY header of the control connection (see service.proxyProtocol). Without such a
	// report, PASV names advertisedAddress or its default. This is for load balancers with several addresses.
	// Default: it is not used.
	// +optional
	AdvertisedAddressFrom AdvertisedAddressSource `json:"advertisedAddressFrom,omitempty"`

	// overrides are addresses that PASV names instead to clients of certain networks, which reach the server another
	// way (from inside a NAT, for example); at most 32. The first override that covers the client is used.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Overrides []AddressOverride `json:"overrides,omitempty"`
}

// AdvertisedAddressSource is a source of the address that PASV names.
// +kubebuilder:validation:Enum=ProxyProtocol
type AdvertisedAddressSource string

// AdvertisedFromProxyProtocol is the destination in the PROXY header of the control connection.
const AdvertisedFromProxyProtocol AdvertisedAddressSource = "ProxyProtocol"

// AddressSourceName names an address that the operator finds.
// +kubebuilder:validation:Enum=ClusterIP
type AddressSourceName string

// OverrideFromClusterIP is the Service's own cluster IP.
const OverrideFromClusterIP AddressSourceName = "ClusterIP"

// AddressOverride is the address that PASV names to some clients. Exactly one of address and addressFrom must be set.
//
// +kubebuilder:validation:XValidation:rule="has(self.address) != has(self.addressFrom)",message="an override names its address in one way: set either address, or addressFrom to ClusterIP"
type AddressOverride struct {
	// clients are the networks of these clients, 1 to 64. They are compared with the client addresses that the pods
	// see.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Clients []Network `json:"clients"`
	// address is an IP address or a host name, in the form of passive.advertisedAddress.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="isIP(self) || (self.matches('^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$') && !self.matches('(^|[.])[0-9]+$'))",message="the address of an override is neither an IP address nor a host name: write it as in 10.0.0.10 or ftp.example.internal, without a port or scheme"
	// +kubebuilder:validation:XValidation:rule="!isIP(self) || ip(self).isLoopback() || ip(self).isGlobalUnicast() || ip(self).isLinkLocalUnicast()",message="the address of an override is none that a client could dial (unspecified, multicast or broadcast): write the one that these clients reach"
	Address string `json:"address,omitempty"`
	// addressFrom: ClusterIP names the Service's own cluster IP (the IPv4 one of two), for clients inside the
	// cluster; clients then lists the networks of its pods and nodes. With externalTrafficPolicy Cluster (or a load
	// balancer that opens its own connections), outside clients appear with addresses of nodes, so list only the
	// pods' networks.
	// +optional
	AddressFrom AddressSourceName `json:"addressFrom,omitempty"`
}

// PortRange is a range of TCP ports that includes both ends.
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
	// end is the last port, start to 65535. The range holds at most 1000 ports, and at least replicas + 1.
	// +required
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	End int32 `json:"end"`
}

// ActiveSpec configures active mode (PORT, EPRT).
type ActiveSpec struct {
	// enabled allows PORT and EPRT, for clients that can't use passive mode and are not behind NAT or a firewall. The
	// pods may then connect to the clients' ports from 1024 up. Default false.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// sourcePort is the port that the pods connect from, 1 to 1023: 20 (RFC 959), for clients' firewalls that expect
	// it. Clients see it only where nothing between them and the pods translates addresses. A change replaces the
	// pods, since a sysctl of theirs permits the port. Default: any port.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1023
	SourcePort int32 `json:"sourcePort,omitempty"`
}
