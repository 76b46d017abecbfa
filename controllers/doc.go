// Package controllers reconciles FtpServers: observe, plan, write, report, and nothing else.
//
// The desired state is computed by pure packages (resources, portplan, portrange, address, status). This package reads
// the cluster, calls them, and writes. Children and slices are written by package children, the status by a server-side
// apply of the same field manager; pods get patches of our annotations and of their readiness gate. No write is sent if
// it would change nothing.
//
// Begin with Reconcile in ftpserver_controller.go. The phases of a pass are functions, in the files reconcile_*.go;
// runPhases in reconcile.go calls them in their order.
package controllers

// The operator's permissions are as few as it needs. There is no "delete" on anything that holds files. The "delete"
// on Deployments, Secrets and Services is for their owner references: pods become owners of what they need, and
// objects that have lost their owner are adopted. Clusters with the admission plugin
// OwnerReferencesPermissionEnforcement (for instance OpenShift) allow that only to clients that may delete the
// object.
//
// +kubebuilder:rbac:groups="",resources=endpoints,verbs=delete
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=create;get;list;patch;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=delete;get;list;patch;watch
// +kubebuilder:rbac:groups="",resources=pods/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups="",resources=services,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=get;list;watch
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=ftp-operator.io,resources=ftpservers,verbs=get;list;watch
// +kubebuilder:rbac:groups=ftp-operator.io,resources=ftpservers/finalizers,verbs=update
// +kubebuilder:rbac:groups=ftp-operator.io,resources=ftpservers/status,verbs=patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups=storage.k8s.io,resources=storageclasses,verbs=get
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=create;delete;get;list;patch;watch
//
// Leader election and its events, in the operator's own namespace.
// +kubebuilder:rbac:groups="",namespace=ftp-operator-system,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=ftp-operator-system,resources=leases,verbs=create;get;update
