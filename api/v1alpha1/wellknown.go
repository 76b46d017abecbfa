package v1alpha1

// These are the names, of labels, annotations and the like, that the operator reads or writes in the cluster.
const (
	// ServerLabel is the label whose value is the name of the FtpServer. The operator sets it on every child object
	// and pod, and selects them by it. On an object without a controller, it permits the operator to adopt that
	// object.
	ServerLabel = "ftp-operator.io/server"
	// PassivePortsAnnotation is the annotation of a pod with its own passive ports, as in "30000-30009,30020". The
	// operator writes it once, and it never changes while the pod lives; the daemon reads it as a file of a downward
	// API volume.
	PassivePortsAnnotation = "ftp-operator.io/passive-ports"
	// AdvertisedAddressAnnotation is the annotation of a pod that is reached only by the address of its own node
	// (type NodePort with externalTrafficPolicy Local), with that IP address. The operator writes it; the daemon
	// reads it as a file of a downward API volume and names the address in PASV replies.
	AdvertisedAddressAnnotation = "ftp-operator.io/advertised-address"
	// ConfigHashAnnotation is the annotation of a pod with the hash of the configuration that it should serve. The
	// operator writes it, since that makes the kubelet refresh the pod's Secret volume at once.
	ConfigHashAnnotation = "ftp-operator.io/config-hash"
	// ConfigTouchAnnotation is the annotation of a pod that did not load a new configuration in time. The operator
	// changes its value only to make the kubelet refresh the pod's Secret volume once more.
	ConfigTouchAnnotation = "ftp-operator.io/config-touch"
	// PassiveRangeAnnotation is the annotation of the pod template with the range from which its pods got their
	// ports. The operator changes it, which rolls the pods, only when a living pod holds ports that are no longer
	// declared.
	PassiveRangeAnnotation = "ftp-operator.io/passive-range"
	// PasswordSourcesAnnotation is the annotation of the config Secret with digests of the versions of the password
	// Secrets from which its hashes were made. The operator writes it; after a restart it recognises the hashes by
	// it.
	PasswordSourcesAnnotation = "ftp-operator.io/password-sources"
	// RoutedConditionType is the pods' readiness gate. The operator sets it to True once the pod's EndpointSlice is
	// published, so that a rollout does not outrun the routing.
	RoutedConditionType = "ftp-operator.io/routed"
	// AllowLabel is the label that a user sets to "true" on a Secret, so that FtpServers of its namespace may use it.
	// The operator requires it if it restricts FtpServers (--require-secret-label).
	AllowLabel = "ftp-operator.io/allow-ftpservers"
	// SliceManager is the value of the label endpointslice.kubernetes.io/managed-by on the operator's EndpointSlices.
	SliceManager = "ftp-operator.io"
	// FieldManager is the operator's field manager for server-side apply and for patches. Only the owner references
	// to pods have another one, FieldManager with the suffix -pods.
	FieldManager = "ftp-operator"
)

// These are the condition types of a FtpServer, which the operator writes. Reconciling and Stalled are present only
// while True (kstatus); the others are always present once the FtpServer was observed.
const (
	// ConditionReady is True while the whole declared state is in place and serving.
	ConditionReady = "Ready"
	// ConditionReconciling is True while the operator or the cluster still works towards the declared state.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True while the declared state can't be reached until something is changed; the message says
	// what.
	ConditionStalled = "Stalled"
	// ConditionAvailable is True while at least one pod takes sessions.
	ConditionAvailable = "Available"
	// ConditionAddressResolved is True while the address to advertise is known, and the pods that could be asked
	// advertise it.
	ConditionAddressResolved = "AddressResolved"
	// ConditionPassivePortsExposed is True while the Service carries every passive port and no surplus one, no other
	// Service holds a port that the server needs, no foreign EndpointSlice routes to the Service, and the load
	// balancer reports no port that it could not open.
	ConditionPassivePortsExposed = "PassivePortsExposed"
	// ConditionPassivePortsAssigned is True while every pod holds passive ports of the declared range, and shares
	// none with another pod.
	ConditionPassivePortsAssigned = "PassivePortsAssigned"
	// ConditionUsersReady is True while every user has a usable password, and at least one user, or anonymous, can
	// log in.
	ConditionUsersReady = "UsersReady"
	// ConditionStorageReady is True while the volume claim is bound, is as declared and is not being deleted, or none
	// is needed.
	ConditionStorageReady = "StorageReady"
	// ConditionCertificateReady is True while every certificate that spec.tls names was found and is valid, none
	// expires soon, and they cover the server's host names, or while none is needed.
	ConditionCertificateReady = "CertificateReady"
	// ConditionPortsWithinLimits is True while the Service's number of ports exceeds no known limit of its load
	// balancer. It warns early of what a provider would refuse, and never keeps the server from being Ready.
	ConditionPortsWithinLimits = "PortsWithinLimits"
	// ConditionScaleAsDeclared is True while spec.replicas is the number of pods. It is False after the Deployment
	// was scaled instead.
	ConditionScaleAsDeclared = "ScaleAsDeclared"
	// ConditionClientNetworksEnforced is True while the declared client networks, if any, are enforced by parts that
	// see real client addresses, and the Service has no source ranges of another writer. It never keeps the server
	// from being Ready.
	ConditionClientNetworksEnforced = "ClientNetworksEnforced"
	// ConditionConfigLoaded is True while every running pod serves the newest configuration. It is Unknown if pods
	// can't be asked.
	ConditionConfigLoaded = "ConfigLoaded"
	// ConditionCRDCurrent is True while the CustomResourceDefinition in the cluster has every field that the operator
	// has. It never keeps the server from being Ready.
	ConditionCRDCurrent = "CRDCurrent"
	// ConditionSuspended is True while spec.suspend is set, and nothing is reconciled.
	ConditionSuspended = "Suspended"
)
