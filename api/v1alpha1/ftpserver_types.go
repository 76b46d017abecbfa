package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FtpServer is an FTP server: pods that run the daemon, the Service that exposes its control
// port and every passive port, and the routing that leads each passive port to the pod that
// announced it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=ftpservers,singular=ftpserver,shortName=ftp,categories=all,scope=Namespaced
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Address",type=string,JSONPath=`.status.advertisedAddress`
// +kubebuilder:printcolumn:name="Port",type=integer,JSONPath=`.status.port`
// +kubebuilder:printcolumn:name="Passive",type=string,JSONPath=`.status.passiveRange`
// +kubebuilder:printcolumn:name="Replicas",type=string,JSONPath=`.status.replicasSummary`
// +kubebuilder:printcolumn:name="Users",type=integer,JSONPath=`.status.users`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Status",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type FtpServer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is wanted.
	// +required
	Spec FtpServerSpec `json:"spec"`
	// status is what was observed. The operator writes it.
	// +optional
	Status FtpServerStatus `json:"status,omitempty"`
}

// FtpServerList is a list of FtpServers.
// +kubebuilder:object:root=true
type FtpServerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []FtpServer `json:"items"`
}

// FtpServerSpec is what is wanted.
type FtpServerSpec struct {
	// suspend stops the operator from changing anything for this server; its pods serve on.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// replicas is the number of pods, each with passive ports of its own. Default 1.
	// More than one needs storage that several pods can share, and the range must hold at
	// least one passive port for each pod and one more for a rollout.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Replicas *int32 `json:"replicas,omitempty"`

	// service is the Service that clients reach.
	// +optional
	// +kubebuilder:default={}
	Service ServiceSpec `json:"service,omitempty"`

	// passive is passive mode (PASV, EPSV), in which the client dials the server's port.
	// +optional
	// +kubebuilder:default={}
	Passive PassiveSpec `json:"passive,omitempty"`

	// active is active mode (PORT, EPRT), in which the server dials the client.
	// +optional
	Active ActiveSpec `json:"active,omitempty"`

	// users are the accounts that can log in.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=1000
	Users []User `json:"users,omitempty"`

	// anonymous is login without an account.
	// +optional
	Anonymous AnonymousSpec `json:"anonymous,omitempty"`

	// storage is the volume that holds every user's files. Exactly one of its sources is set.
	// +required
	Storage StorageSpec `json:"storage"`

	// networkPolicy guards the pods.
	// +optional
	NetworkPolicy NetworkPolicySpec `json:"networkPolicy,omitempty"`

	// template shapes the pods.
	// +optional
	Template PodTemplateSpec `json:"template,omitempty"`

	// image overrides the daemon's image, which is otherwise the operator's own, so that both
	// are of one version.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`
}

// ServiceSpec shapes the Service that clients reach.
type ServiceSpec struct {
	// type is LoadBalancer (default), NodePort or ClusterIP. With NodePort every passive port is
	// also the node port, since a client dials the port that PASV names; the range must then lie
	// in the cluster's node port range (30000-32767 unless the cluster says otherwise).
	// +optional
	// +kubebuilder:default=LoadBalancer
	// +kubebuilder:validation:Enum=LoadBalancer;NodePort;ClusterIP
	Type corev1.ServiceType `json:"type,omitempty"`

	// port is the control port of the Service. Default 21.
	// +optional
	// +kubebuilder:default=21
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// nodePort is the node port of the control port, for type NodePort or LoadBalancer; unset,
	// the cluster chooses one.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort *int32 `json:"nodePort,omitempty"`

	// externalTrafficPolicy: Local keeps the clients' real addresses and needs one replica;
	// Cluster serves any number and hides them behind the nodes'. Unset: Local for one replica,
	// Cluster for more.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy corev1.ServiceExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// annotations are put on the Service, for load balancers that are told by them.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`

	// labels are put on the Service.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Labels map[string]string `json:"labels,omitempty"`

	// loadBalancerClass names the load balancer implementation. Can't be changed once set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	LoadBalancerClass *string `json:"loadBalancerClass,omitempty"`

	// loadBalancerSourceRanges are the client networks (CIDR) that may connect; empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=43
	LoadBalancerSourceRanges []string `json:"loadBalancerSourceRanges,omitempty"`

	// allocateLoadBalancerNodePorts: false spares a node port for each port, for load balancers
	// that reach pods or Service addresses without node ports.
	// +optional
	AllocateLoadBalancerNodePorts *bool `json:"allocateLoadBalancerNodePorts,omitempty"`

	// ipFamilyPolicy is the Service's: SingleStack, PreferDualStack or RequireDualStack.
	// +optional
	// +kubebuilder:validation:Enum=SingleStack;PreferDualStack;RequireDualStack
	IPFamilyPolicy *corev1.IPFamilyPolicy `json:"ipFamilyPolicy,omitempty"`
}

// PassiveSpec is passive mode.
type PassiveSpec struct {
	// portRange is the one declared range of passive ports. The daemon's listeners, the Service,
	// the EndpointSlices, the NetworkPolicy and the PASV replies all come from it. Ports are held
	// only from a PASV reply to the data connection, so ten carry many concurrent transfers.
	// +optional
	// +kubebuilder:default={start: 30000, end: 30031}
	PortRange PortRange `json:"portRange,omitempty"`

	// advertisedAddress is the IP address or host name that PASV names. Unset, it is found:
	// the load balancer's IP, the load balancer's host name (resolved), for NodePort a node's
	// external (else internal) IP, for ClusterIP the Service's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	AdvertisedAddress string `json:"advertisedAddress,omitempty"`
}

// PortRange is a range of TCP ports, both ends inclusive.
type PortRange struct {
	// start is the first port.
	// +required
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	Start int32 `json:"start"`
	// end is the last port; at most 1000 ports in all.
	// +required
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	End int32 `json:"end"`
}

// ActiveSpec is active mode.
type ActiveSpec struct {
	// enabled allows PORT and EPRT. The pods may then open connections to the clients' high
	// ports, and clients that are not behind NAT or a firewall can use active mode. Default false.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
}

// Access is a class of rights.
// +kubebuilder:validation:Enum=ReadOnly;ReadWrite;UploadOnly
type Access string

const (
	// AccessReadOnly lists and downloads.
	AccessReadOnly Access = "ReadOnly"
	// AccessReadWrite does everything.
	AccessReadWrite Access = "ReadWrite"
	// AccessUploadOnly stores new files and makes directories, and nothing else: a drop box.
	AccessUploadOnly Access = "UploadOnly"
)

// User is an account.
type User struct {
	// name is what the client gives as user name: letters, digits and . _ @ -, beginning with a
	// letter or digit, 1 to 64 characters. "anonymous" and "ftp" belong to spec.anonymous.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._@-]*$`
	Name string `json:"name"`

	// passwordSecretRef names the Secret, in the FtpServer's namespace, that holds the password,
	// or an argon2id ($argon2id$...) or bcrypt ($2a$, $2b$, $2y$) hash of it. Only a hash reaches the pods.
	// +required
	PasswordSecretRef SecretKeyReference `json:"passwordSecretRef"`

	// home is the user's directory below the storage root, as a relative path; "." is the root
	// itself. Default: the user's name. It is made at the first login. Users may share one.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Home string `json:"home,omitempty"`

	// access is ReadWrite (default), ReadOnly, or UploadOnly: a drop box, in which files can be
	// stored but not listed, read, overwritten or deleted.
	// +optional
	// +kubebuilder:default=ReadWrite
	Access Access `json:"access,omitempty"`
}

// SecretKeyReference names a key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// key in the Secret's data. Default "password".
	// +optional
	// +kubebuilder:default=password
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// AnonymousSpec is login without an account, as "anonymous" or "ftp" with any password.
type AnonymousSpec struct {
	// enabled allows it. Default false.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// home is the directory below the storage root. Default "anonymous".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Home string `json:"home,omitempty"`
	// access is ReadOnly (default), UploadOnly or ReadWrite.
	// +optional
	// +kubebuilder:default=ReadOnly
	Access Access `json:"access,omitempty"`
}

// StorageSpec is the volume that holds every user's files.
type StorageSpec struct {
	// persistentVolumeClaim mounts a claim that exists.
	// +optional
	PersistentVolumeClaim *ClaimReference `json:"persistentVolumeClaim,omitempty"`
	// volumeClaimTemplate makes a claim, named <server>-data.
	// +optional
	VolumeClaimTemplate *VolumeClaimTemplate `json:"volumeClaimTemplate,omitempty"`
	// emptyDir is a directory that lives and dies with its pod: for trials.
	// +optional
	EmptyDir *corev1.EmptyDirVolumeSource `json:"emptyDir,omitempty"`
}

// ClaimReference names a PersistentVolumeClaim.
type ClaimReference struct {
	// claimName is the name of a claim in the FtpServer's namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClaimName string `json:"claimName"`
}

// RetentionPolicy says what becomes of a claim.
// +kubebuilder:validation:Enum=Retain;Delete
type RetentionPolicy string

const (
	// RetentionRetain keeps the claim, and takes it up again when a server of the same name is made.
	RetentionRetain RetentionPolicy = "Retain"
	// RetentionDelete deletes the claim with the server.
	RetentionDelete RetentionPolicy = "Delete"
)

// VolumeClaimTemplate is a claim that the operator makes.
type VolumeClaimTemplate struct {
	// metadata of the claim: labels and annotations.
	// +optional
	Metadata EmbeddedMetadata `json:"metadata,omitempty"`
	// spec of the claim. Of it only the requested size can be changed later, and only upwards.
	// +required
	Spec corev1.PersistentVolumeClaimSpec `json:"spec"`
	// whenDeleted says what becomes of the claim when the FtpServer is deleted: Retain (default)
	// keeps the files, Delete deletes them.
	// +optional
	// +kubebuilder:default=Retain
	WhenDeleted RetentionPolicy `json:"whenDeleted,omitempty"`
}

// EmbeddedMetadata is the metadata that an embedded object may have.
type EmbeddedMetadata struct {
	// labels of the object.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Labels map[string]string `json:"labels,omitempty"`
	// annotations of the object.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`
}

// NetworkPolicySpec guards the pods.
type NetworkPolicySpec struct {
	// enabled makes a NetworkPolicy that opens the control port and exactly the declared passive
	// range, and nothing else. Default true.
	// +optional
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`
}

// PodTemplateSpec shapes the pods.
type PodTemplateSpec struct {
	// metadata of the pods: labels and annotations.
	// +optional
	Metadata EmbeddedMetadata `json:"metadata,omitempty"`
	// resources of the daemon's container.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
	// nodeSelector of the pods.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// tolerations of the pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity of the pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// topologySpreadConstraints of the pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	// priorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// imagePullSecrets for the daemon's image.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// imagePullPolicy of the daemon's image. Default IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// terminationGracePeriodSeconds is the longest time, in seconds, that a pod that is being
	// replaced may take to let its running transfers end. Default 3600.
	// +optional
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=604800
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`
}

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

// FtpServerStatus is what was observed.
type FtpServerStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions: Ready, Reconciling, Stalled (kstatus), Available, AddressResolved,
	// PassivePortsAssigned, UsersReady, StorageReady, ConfigLoaded, Paused.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// endpoint is where clients connect, as in ftp://203.0.113.10:21.
	// +optional
	Endpoint string `json:"endpoint,omitempty"`
	// advertisedAddress is the address that PASV replies name.
	// +optional
	AdvertisedAddress string `json:"advertisedAddress,omitempty"`
	// advertisedAddressSource says where it came from: Spec, LoadBalancerIP,
	// LoadBalancerHostname, NodeExternalIP, NodeInternalIP or ClusterIP.
	// +optional
	AdvertisedAddressSource AddressSource `json:"advertisedAddressSource,omitempty"`
	// port is the control port that clients dial.
	// +optional
	Port int32 `json:"port,omitempty"`
	// passiveRange is the range of passive ports in use, as in 30000-30063. While a changed
	// range is taking over it also holds the ports of the pods that still have the old ones.
	// +optional
	PassiveRange string `json:"passiveRange,omitempty"`
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
	// selector of the pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`
	// users is the number of accounts that can log in.
	// +optional
	Users int32 `json:"users,omitempty"`
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
}

// PodState is the state of a pod as the routing sees it.
type PodState string

// The states of a pod.
const (
	PodWaiting  PodState = "Waiting"
	PodReady    PodState = "Ready"
	PodDraining PodState = "Draining"
)
