package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// StorageSpec is the volume that holds the files of all users.
//
// +kubebuilder:validation:XValidation:rule="[has(self.persistentVolumeClaim), has(self.volumeClaimTemplate), has(self.emptyDir)].exists_one(set, set)",message="storage needs exactly one of persistentVolumeClaim (a claim that exists), volumeClaimTemplate (a claim to make) and emptyDir (for trials): set one and leave out the others"
// +kubebuilder:validation:XValidation:rule="!has(self.emptyDir) || has(oldSelf.emptyDir)",message="storage can't be changed from a volume that lasts to emptyDir, whose files die with their pod: put the claim back, or make another FtpServer"
// +kubebuilder:validation:XValidation:rule="!has(self.emptyDir) || !has(self.emptyDir.medium) || self.emptyDir.medium == 'Memory' || self.emptyDir.medium.size() == 0",message="storage.emptyDir.medium is Memory, or left out for the node's disk",fieldPath=".emptyDir.medium"
type StorageSpec struct {
	// persistentVolumeClaim mounts an existing claim. For several replicas, pods on different nodes must be able to
	// share it (ReadWriteMany).
	// +optional
	PersistentVolumeClaim *ClaimReference `json:"persistentVolumeClaim,omitempty"`
	// volumeClaimTemplate makes the operator create a claim, with the FtpServer's name and the suffix -data.
	// +optional
	VolumeClaimTemplate *VolumeClaimTemplate `json:"volumeClaimTemplate,omitempty"`
	// emptyDir is a directory that is deleted with its pod: for trials, with one replica.
	// +optional
	EmptyDir *corev1.EmptyDirVolumeSource `json:"emptyDir,omitempty"`

	// durability is what an acknowledged upload survives. Fsync (default) acknowledges an upload only when it is on
	// the disk. None lets the kernel decide when to write: many small files are stored faster, but those of the last
	// half minute may be lost or empty if a node crashes. In both, names show only complete uploads (but see
	// partialUploads).
	// +optional
	// +kubebuilder:default=Fsync
	Durability Durability `json:"durability,omitempty"`

	// partialUploads is what happens to an upload that breaks off. Discard (default) drops what has arrived: its name
	// shows the old file or nothing. Keep stores it under the name, in place of the old file, for clients that resume
	// with REST later. Keep applies to binary uploads of users who may overwrite, and never if the disk or the quota
	// is full.
	// +optional
	// +kubebuilder:default=Discard
	PartialUploads PartialUploads `json:"partialUploads,omitempty"`
}

// Durability is what an acknowledged upload survives.
// +kubebuilder:validation:Enum=Fsync;None
type Durability string

const (
	// DurabilityFsync acknowledges an upload when it is on the disk.
	DurabilityFsync Durability = "Fsync"
	// DurabilityNone acknowledges an upload when the kernel has it.
	DurabilityNone Durability = "None"
)

// PartialUploads is what happens to an upload that breaks off.
// +kubebuilder:validation:Enum=Discard;Keep
type PartialUploads string

const (
	// PartialUploadsDiscard drops what has arrived.
	PartialUploadsDiscard PartialUploads = "Discard"
	// PartialUploadsKeep stores what has arrived.
	PartialUploadsKeep PartialUploads = "Keep"
)

// ClaimReference names a PersistentVolumeClaim.
type ClaimReference struct {
	// claimName is the name of a claim in the FtpServer's namespace.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a claim's name consists of lower case letters, digits, - and . and begins and ends with a letter or digit: write the PersistentVolumeClaim's metadata.name"
	ClaimName string `json:"claimName"`
}

// RetentionPolicy says what happens to a claim when its FtpServer is deleted.
// +kubebuilder:validation:Enum=Retain;Delete
type RetentionPolicy string

const (
	// RetentionRetain keeps the claim; a FtpServer of the same name uses it again.
	RetentionRetain RetentionPolicy = "Retain"
	// RetentionDelete deletes the claim with the FtpServer.
	RetentionDelete RetentionPolicy = "Delete"
)

// VolumeClaimTemplate is a claim that the operator creates.
//
// +kubebuilder:validation:XValidation:rule="has(self.spec.accessModes) && self.spec.accessModes.size() > 0",message="volumeClaimTemplate.spec.accessModes is missing: set [ReadWriteOnce] for one replica, [ReadWriteMany] for more",fieldPath=".spec.accessModes"
// +kubebuilder:validation:XValidation:rule="has(self.spec.resources) && has(self.spec.resources.requests) && 'storage' in self.spec.resources.requests && quantity(string(self.spec.resources.requests['storage'])).isGreaterThan(quantity('0'))",message="volumeClaimTemplate.spec.resources.requests.storage is missing or not above zero: set the size of the volume, as in 10Gi",fieldPath=".spec.resources"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.volumeMode) || self.spec.volumeMode == 'Filesystem'",message="volumeClaimTemplate.spec.volumeMode Block can't hold files: leave it out, or set Filesystem",fieldPath=".spec.volumeMode"
// +kubebuilder:validation:XValidation:rule="has(self.spec.accessModes) == has(oldSelf.spec.accessModes) && (!has(self.spec.accessModes) || self.spec.accessModes == oldSelf.spec.accessModes) && has(self.spec.volumeName) == has(oldSelf.spec.volumeName) && (!has(self.spec.volumeName) || self.spec.volumeName == oldSelf.spec.volumeName) && has(self.spec.volumeMode) == has(oldSelf.spec.volumeMode) && (!has(self.spec.volumeMode) || self.spec.volumeMode == oldSelf.spec.volumeMode) && has(self.spec.selector) == has(oldSelf.spec.selector) && (!has(self.spec.selector) || self.spec.selector == oldSelf.spec.selector) && has(self.spec.dataSource) == has(oldSelf.spec.dataSource) && (!has(self.spec.dataSource) || self.spec.dataSource == oldSelf.spec.dataSource) && has(self.spec.dataSourceRef) == has(oldSelf.spec.dataSourceRef) && (!has(self.spec.dataSourceRef) || self.spec.dataSourceRef == oldSelf.spec.dataSourceRef)",message="of volumeClaimTemplate.spec only resources.requests.storage, storageClassName and volumeAttributesClassName can be changed, since the claim holds files: put the other fields back, or move to another claim by persistentVolumeClaim",fieldPath=".spec"
type VolumeClaimTemplate struct {
	// metadata is the labels and annotations of the claim.
	// +optional
	Metadata EmbeddedMetadata `json:"metadata,omitzero"`
	// spec is the spec of the claim; accessModes and resources.requests.storage are required. Later, only the
	// requested size, storageClassName and volumeAttributesClassName can be changed. A volume can only grow, and
	// storageClassName can only change while the claim has no volume. The condition StorageReady reports what can't
	// be done and how to go back; the files stay as they are.
	// +required
	Spec corev1.PersistentVolumeClaimSpec `json:"spec"`
	// whenDeleted says what happens to the claim when the FtpServer is deleted: Retain (default) keeps the files, and
	// a FtpServer of the same name uses them again; Delete deletes them.
	// +optional
	// +kubebuilder:default=Retain
	WhenDeleted RetentionPolicy `json:"whenDeleted,omitempty"`
}

// EmbeddedMetadata is the metadata that you can give to an object that the operator creates.
type EmbeddedMetadata struct {
	// labels are added to the object. Keys with the prefix ftp-operator.io/ are reserved for the operator. Where it
	// sets the same key (app.kubernetes.io/name and the like), its value wins.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('ftp-operator.io/'))",message="labels of ftp-operator.io/ belong to the operator: use another prefix"
	Labels map[string]string `json:"labels,omitempty"`
	// annotations are added to the object. Keys with the prefix ftp-operator.io/ are reserved for the operator.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('ftp-operator.io/'))",message="annotations of ftp-operator.io/ belong to the operator: use another prefix"
	Annotations map[string]string `json:"annotations,omitempty"`
}
