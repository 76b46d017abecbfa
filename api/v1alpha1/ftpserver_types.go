package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FtpServer is an FTP server: the pods that run the daemon, the Service that exposes the control port and every
// passive port, and the routing that leads each passive port to the pod that announced it.
//
// Its name becomes the Service's name and a part of pod names and label values, so it must be a DNS-1035 label of at
// most 52 characters.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=ftpservers,singular=ftpserver,shortName=ftp,categories=all,scope=Namespaced
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Ready",type=string,description="Whether the whole declared state is in place and serving",JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,description="Why it is ready or not, in a word",JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Address",type=string,description="The address that PASV replies name",JSONPath=`.status.advertisedAddress`
// +kubebuilder:printcolumn:name="Port",type=integer,description="The control port that clients dial",JSONPath=`.status.port`
// +kubebuilder:printcolumn:name="Passive",type=string,description="The passive ports in use",JSONPath=`.status.passiveRange`
// +kubebuilder:printcolumn:name="Replicas",type=string,description="Pods, ready/wanted",JSONPath=`.status.replicasSummary`
// +kubebuilder:printcolumn:name="Users",type=string,description="Accounts that can log in, of those declared",JSONPath=`.status.usersSummary`
// +kubebuilder:printcolumn:name="Certificate",type=string,priority=1,description="When the first certificate in use ends",JSONPath=`.status.certificateNotAfter`
// +kubebuilder:printcolumn:name="Data Peer",type=string,priority=1,description="What proves whose a data connection is",JSONPath=`.status.dataPeerCheck`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Status",type=string,priority=1,description="What the Ready condition says",JSONPath=`.status.conditions[?(@.type=="Ready")].message`
//
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$')",message="metadata.name becomes a Service's name and a part of pod names: use 1 to 52 lower case letters, digits and -, with a letter first and no - at the end"
type FtpServer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the desired state.
	// +required
	Spec FtpServerSpec `json:"spec"`
	// status is the observed state. The operator writes it. Before that, observedGeneration is -1, so that no tool
	// takes a new FtpServer for a ready one.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status FtpServerStatus `json:"status,omitzero"`
}

// FtpServerList is a list of FtpServers.
// +kubebuilder:object:root=true
type FtpServerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []FtpServer `json:"items"`
}

// The validation rules below compare different parts of the spec; the rules within one part are at its type. The API
// server applies them after it has filled in the defaults, so defaulted fields need no has(). The passive range has no
// such default, since a count may be given instead: the rules use [30000, 30031], the default of portrange.Of.
//
// A rule can't see the cluster's node port range, which is a flag of the API server (--service-node-port-range). The
// rules check against the default of that flag, so that mistakes are found at kubectl apply. For a cluster with another
// range, the Helm chart's value nodePortRange puts the right numbers in.

// Charset is a character set: UTF-8, or one that has one byte per character.
// +kubebuilder:validation:Enum=utf-8;latin1;latin2;latin9;windows-1250;windows-1251;windows-1252;windows-1253;windows-1254;koi8-r;cp437;cp850
type Charset string

// FtpServerSpec is the desired state of a FtpServer.
//
// +kubebuilder:validation:XValidation:rule="!has(self.passive.advertisedAddressFrom) || has(self.service.proxyProtocol)",message="passive.advertisedAddressFrom ProxyProtocol needs a load balancer that tells the address: declare service.proxyProtocol, or leave the field out",fieldPath=".passive.advertisedAddressFrom"
// +kubebuilder:validation:XValidation:rule="has(self.passive.portCount) || [has(self.passive.portRange) ? [self.passive.portRange.start, self.passive.portRange.end] : [30000, 30031]].all(r, self.service.port < r[0] || self.service.port > r[1])",message="the control port lies in the passive range: set service.port to a port outside it (21 is usual), or move passive.portRange",fieldPath=".service.port"
// +kubebuilder:validation:XValidation:rule="self.service.type != 'NodePort' || !has(self.service.nodePort) || has(self.passive.portCount) || [has(self.passive.portRange) ? [self.passive.portRange.start, self.passive.portRange.end] : [30000, 30031]].all(r, self.service.nodePort < r[0] || self.service.nodePort > r[1])",message="the control node port lies in the passive range, whose ports are node ports too: choose a service.nodePort outside it",fieldPath=".service.nodePort"
// +kubebuilder:validation:XValidation:rule="self.service.type != 'NodePort' || has(self.passive.portCount) || [has(self.passive.portRange) ? [self.passive.portRange.start, self.passive.portRange.end] : [30000, 30031]].all(r, 30000 <= r[0] && r[1] <= 32767)",message="with service.type NodePort every passive port is a node port too: set passive.portRange within the cluster's node port range, 30000-32767, or leave the choice to passive.portCount",fieldPath=".passive.portRange"
// +kubebuilder:validation:XValidation:rule="has(self.passive.portCount) || [has(self.passive.portRange) ? [self.passive.portRange.start, self.passive.portRange.end] : [30000, 30031]].all(r, r[0] > r[1] || r[1] - r[0] >= (self.replicas > 1 ? self.replicas : 1))",message="passive.portRange holds too few ports: it needs one for each replica (at least one) and one for the pod that a rollout adds; widen it, or lower replicas",fieldPath=".passive.portRange"
// +kubebuilder:validation:XValidation:rule="!has(self.passive.portCount) || self.passive.portCount > (self.replicas > 1 ? self.replicas : 1)",message="passive.portCount is too low: it needs one port for each replica (at least one) and one for the pod that a rollout adds; raise it, or lower replicas",fieldPath=".passive.portCount"
// +kubebuilder:validation:XValidation:rule="self.replicas <= 1 || !has(self.service.externalTrafficPolicy) || self.service.externalTrafficPolicy != 'Local'",message="service.externalTrafficPolicy Local sends passive ports to nodes whose pod does not hold them when there are several pods: set replicas to 1, or the policy to Cluster (or leave it out)",fieldPath=".service.externalTrafficPolicy"
// +kubebuilder:validation:XValidation:rule="self.replicas <= 1 || !has(self.storage.emptyDir)",message="with storage.emptyDir each pod has files of its own and a client sees now these, now those: set replicas to 1, or use a persistentVolumeClaim or volumeClaimTemplate with ReadWriteMany",fieldPath=".storage.emptyDir"
// +kubebuilder:validation:XValidation:rule="self.replicas <= 1 || !has(self.storage.volumeClaimTemplate) || !has(self.storage.volumeClaimTemplate.spec.accessModes) || !self.storage.volumeClaimTemplate.spec.accessModes.exists(m, m == 'ReadWriteOncePod')",message="a volume with access mode ReadWriteOncePod can be mounted by one pod only: set replicas to 1, or use ReadWriteMany",fieldPath=".storage.volumeClaimTemplate"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || !has(self.tls.implicit) || !self.tls.implicit.enabled || self.tls.implicit.port != self.service.port",message="tls.implicit.port is service.port too: give implicit TLS a port of its own (990 is usual)",fieldPath=".tls.implicit.port"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || !has(self.tls.implicit) || !self.tls.implicit.enabled || has(self.passive.portCount) || [has(self.passive.portRange) ? [self.passive.portRange.start, self.passive.portRange.end] : [30000, 30031]].all(r, self.tls.implicit.port < r[0] || self.tls.implicit.port > r[1])",message="tls.implicit.port lies in the passive range: set it to a port outside (990 is usual), or move passive.portRange",fieldPath=".tls.implicit.port"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || !has(self.tls.implicit) || !has(self.tls.implicit.nodePort) || self.service.type != 'ClusterIP'",message="tls.implicit.nodePort needs service.type NodePort or LoadBalancer: leave it out, or change the type",fieldPath=".tls.implicit.nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || !has(self.tls.implicit) || !has(self.tls.implicit.nodePort) || 30000 <= self.tls.implicit.nodePort && self.tls.implicit.nodePort <= 32767",message="tls.implicit.nodePort lies outside the cluster's node port range: choose one of 30000-32767, or leave it out",fieldPath=".tls.implicit.nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || !has(self.tls.implicit) || !has(self.tls.implicit.nodePort) || !has(self.service.nodePort) || self.tls.implicit.nodePort != self.service.nodePort",message="tls.implicit.nodePort is service.nodePort too: choose another",fieldPath=".tls.implicit.nodePort"
// +kubebuilder:validation:XValidation:rule="self.service.type != 'NodePort' || !has(self.tls) || !has(self.tls.implicit) || !has(self.tls.implicit.nodePort) || has(self.passive.portCount) || [has(self.passive.portRange) ? [self.passive.portRange.start, self.passive.portRange.end] : [30000, 30031]].all(r, self.tls.implicit.nodePort < r[0] || self.tls.implicit.nodePort > r[1])",message="tls.implicit.nodePort lies in the passive range, whose ports are node ports too: choose one outside it",fieldPath=".tls.implicit.nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.networkPolicy) || !has(self.networkPolicy.allowedNetworks) || self.networkPolicy.allowedNetworks.size() == 0 || self.service.type == 'ClusterIP' || has(self.service.proxyProtocol) || (has(self.service.externalTrafficPolicy) ? self.service.externalTrafficPolicy == 'Local' : self.replicas <= 1)",message="networkPolicy.allowedNetworks would shut everybody out: under externalTrafficPolicy Cluster, which is the default with several replicas, the pods see the nodes' addresses and not the clients'; use service.loadBalancerSourceRanges, declare service.proxyProtocol, or set replicas to 1 and the policy to Local",fieldPath=".networkPolicy.allowedNetworks"
// +kubebuilder:validation:XValidation:rule="!has(self.drain) || !has(self.drain.lameDuck) || !self.drain.lameDuck.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self.drain.lameDuck).getSeconds() < (has(self.template) ? self.template.terminationGracePeriodSeconds : 3600)",message="drain.lameDuck is as long as template.terminationGracePeriodSeconds (3600 if that is not set), which leaves no time to drain: shorten it, or lengthen the grace period",fieldPath=".drain.lameDuck"
type FtpServerSpec struct {
	// className is the class of the operator that handles this server (the operator's flag --class), for clusters
	// with several operators. Default empty: the operator without a class. When it changes, the former operator
	// leaves everything as it is, and the other one takes the server over.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	ClassName string `json:"className,omitempty"`

	// suspend, while true, stops the operator from changing anything for this server. The pods continue to serve, but
	// routing and addresses are not kept up to date. Default false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// replicas is the number of pods, 0 to 999. kubectl scale, and HorizontalPodAutoscalers that target the
	// FtpServer, set it. Default 1. Each pod gets a share of the passive ports, so the range must hold replicas + 1
	// ports (a rollout adds a pod). More than one replica needs storage that several pods can share, and hides the
	// clients' addresses behind the nodes' (see service.externalTrafficPolicy).
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=999
	Replicas *int32 `json:"replicas,omitempty"`

	// service configures the Service that clients connect to. It has the FtpServer's name.
	// +optional
	// +kubebuilder:default={}
	Service ServiceSpec `json:"service,omitzero"`

	// passive configures passive mode (PASV, EPSV), in which the client connects to a port of the server.
	// +optional
	// +kubebuilder:default={}
	Passive PassiveSpec `json:"passive,omitzero"`

	// active configures active mode (PORT, EPRT), in which the server connects to the client. Off by default.
	// +optional
	Active ActiveSpec `json:"active,omitzero"`

	// hosts are the names by which clients know the server, at most 32, for the command HOST (RFC 7151);
	// *.example.com means every name one label below. The certificates are checked for these names, too. Default:
	// HOST accepts any name.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	Hosts []HostPattern `json:"hosts,omitempty"`

	// charset is the encoding of file names for clients that do not announce UTF-8 (OPTS UTF8 ON): old cameras,
	// scanners and printers. On the volume, names are always in UTF-8. latin1 (ISO 8859-1) and windows-1252 suit
	// Western Europe. Default: UTF-8 for all clients.
	// +optional
	Charset Charset `json:"charset,omitempty"`

	// tls configures FTP over TLS (FTPS), explicit and implicit. Default: clear text only.
	// +optional
	TLS *TLSSpec `json:"tls,omitempty"`

	// users are the accounts that can log in, at most 1000. A change takes effect within seconds, without a restart;
	// the sessions of a removed user end.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=1000
	Users []User `json:"users,omitempty"`

	// anonymous configures login without an account. Off by default.
	// +optional
	Anonymous AnonymousSpec `json:"anonymous,omitzero"`

	// limits sets limits for sessions, bandwidth and time.
	// +optional
	Limits LimitsSpec `json:"limits,omitzero"`

	// bans keeps out, for a while, clients that guess passwords. On by default.
	// +optional
	Bans BansSpec `json:"bans,omitzero"`

	// storage is the volume that holds the files of all users: exactly one of persistentVolumeClaim,
	// volumeClaimTemplate and emptyDir.
	// +required
	Storage StorageSpec `json:"storage"`

	// networkPolicy limits which clients may connect to the pods. On by default.
	// +optional
	NetworkPolicy NetworkPolicySpec `json:"networkPolicy,omitzero"`

	// podDisruptionBudget limits how many pods node drains may evict at once. On by default.
	// +optional
	PodDisruptionBudget PodDisruptionBudgetSpec `json:"podDisruptionBudget,omitzero"`

	// drain says how a pod ends its sessions when it is replaced, scaled down or evicted.
	// +optional
	Drain DrainSpec `json:"drain,omitzero"`

	// template configures the pods: resources, placement, labels, grace period.
	// +optional
	Template PodTemplateSpec `json:"template,omitzero"`

	// image is the daemon's image. Default: the operator's own image, which contains the daemon, too, so that both
	// have the same version.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9][^\\\\s]*$')",message="image is no image reference: write it as in registry.example.com/ftp-operator:0.1.0, without blanks"
	Image string `json:"image,omitempty"`
}
