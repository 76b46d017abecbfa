package v1alpha1

// Labels and annotations that the operator reads or writes.
const (
	// ServerLabel is on every child object and pod; its value is the FtpServer's name.
	ServerLabel = "ftp-operator.io/server"
	// PassivePortsAnnotation is on a pod: the passive ports that are its own, as in
	// "30000-30009,30020". Written once; it never changes while the pod lives.
	PassivePortsAnnotation = "ftp-operator.io/passive-ports"
	// AdvertisedAddressAnnotation is on a pod that is reached by the address of its own node only (type NodePort with
	// externalTrafficPolicy Local): that IP address, which its PASV replies name.
	AdvertisedAddressAnnotation = "ftp-operator.io/advertised-address"
	// ConfigHashAnnotation is on a pod: the hash of the configuration it should serve. Writing
	// it makes the kubelet refresh the pod's Secret volume at once.
	ConfigHashAnnotation = "ftp-operator.io/config-hash"
	// ConfigTouchAnnotation is on a pod that did not take a new configuration over in time. Its
	// value only has to change, for the kubelet to look at the pod's Secret volume once more.
	ConfigTouchAnnotation = "ftp-operator.io/config-touch"
	// PassiveRangeAnnotation is on a pod template: the range that its pods' ports were taken
	// from. It changes, and so rolls the pods, only when a living pod holds ports that are no
	// longer declared.
	PassiveRangeAnnotation = "ftp-operator.io/passive-range"
	// PasswordSourcesAnnotation is on the config Secret: digests of which versions of password Secrets its hashes
	// came of, by which an operator that starts recognises them.
	PasswordSourcesAnnotation = "ftp-operator.io/password-sources"
	// RoutedConditionType is the pod readiness gate: True once the pod's EndpointSlice is
	// published, so that a rollout does not outrun the routing.
	RoutedConditionType = "ftp-operator.io/routed"
	// AllowLabel is on a Secret that FtpServers of its namespace may use, with the value "true". It is asked for where
	// the operator restricts FtpServers (--require-secret-label).
	AllowLabel = "ftp-operator.io/allow-ftpservers"
	// SliceManager is the value of endpointslice.kubernetes.io/managed-by on our slices.
	SliceManager = "ftp-operator.io"
	// FieldManager is the operator's one manager name for server-side apply.
	FieldManager = "ftp-operator"
)

// Condition types of a FtpServer. Reconciling and Stalled are present only while true
// (kstatus); the others are always present once observed.
const (
	// ConditionReady: the whole declared state is in place and serving.
	ConditionReady = "Ready"
	// ConditionReconciling: the operator or the cluster is still working towards it.
	ConditionReconciling = "Reconciling"
	// ConditionStalled: it can't be reached until somebody changes something; the message says what.
	ConditionStalled = "Stalled"
	// ConditionAvailable: at least one pod takes sessions.
	ConditionAvailable = "Available"
	// ConditionAddressResolved: the address to advertise is known, and the pods advertise it.
	ConditionAddressResolved = "AddressResolved"
	// ConditionPassivePortsExposed: the Service carries the control ports and every passive port, and
	// nobody else holds one of them.
	ConditionPassivePortsExposed = "PassivePortsExposed"
	// ConditionPassivePortsAssigned: every pod holds passive ports of the declared range.
	ConditionPassivePortsAssigned = "PassivePortsAssigned"
	// ConditionUsersReady: every user's password Secret was found and used.
	ConditionUsersReady = "UsersReady"
	// ConditionStorageReady: the volume claim exists and is bound, or none is needed.
	ConditionStorageReady = "StorageReady"
	// ConditionCertificateReady: every certificate that spec.tls names was found and is good, or
	// none is needed.
	ConditionCertificateReady = "CertificateReady"
	// ConditionPortsWithinLimits: the load balancer, as far as it is known, takes as many ports as the
	// Service has. It tells early of what a provider would refuse, and never holds Ready up.
	ConditionPortsWithinLimits = "PortsWithinLimits"
	// ConditionScaleAsDeclared: spec.replicas is the number of pods, and nobody scaled the Deployment instead.
	ConditionScaleAsDeclared = "ScaleAsDeclared"
	// ConditionClientNetworksEnforced is True while the declared client networks are enforced, or none are declared,
	// and what enforces them can see real client addresses. It never keeps the server from being Ready.
	ConditionClientNetworksEnforced = "ClientNetworksEnforced"
	// ConditionConfigLoaded: every pod serves the newest configuration.
	ConditionConfigLoaded = "ConfigLoaded"
	// ConditionCRDCurrent: the CustomResourceDefinition in the cluster has every field that the operator has. It
	// never holds Ready up.
	ConditionCRDCurrent = "CRDCurrent"
	// ConditionSuspended is True while spec.suspend is set, and nothing is reconciled.
	ConditionSuspended = "Suspended"
)
