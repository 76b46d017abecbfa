package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// Access is a class of rights.
// +kubebuilder:validation:Enum=ReadOnly;ReadWrite;UploadOnly
type Access string

const (
	// AccessReadOnly allows listing and downloading.
	AccessReadOnly Access = "ReadOnly"
	// AccessReadWrite allows everything.
	AccessReadWrite Access = "ReadWrite"
	// AccessUploadOnly allows storing new files and making directories, and nothing else: a drop box.
	AccessUploadOnly Access = "UploadOnly"
)

// Right is one thing that a user may do.
// +kubebuilder:validation:Enum=List;Read;Create;Write;Append;Delete;Rename;Mkdir
type Right string

// These are the rights; User.Rights says what each of them allows.
const (
	RightList   Right = "List"
	RightRead   Right = "Read"
	RightCreate Right = "Create"
	RightWrite  Right = "Write"
	RightAppend Right = "Append"
	RightDelete Right = "Delete"
	RightRename Right = "Rename"
	RightMkdir  Right = "Mkdir"
)

// Quota limits what a home may hold, no matter which user stored it. Users who share a home share its content, and
// each has their own limit on it. A changed limit applies at once. With several replicas, a user who uploads to
// several pods at once can exceed it by what the pods have not counted of each other yet.
type Quota struct {
	// bytes is the largest sum of the sizes of all files, as in 10Gi or 500M. Default 0: no limit.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:Pattern=`^[0-9]{1,15}(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$`
	Bytes *resource.Quantity `json:"bytes,omitempty"`
	// files is the largest number of files, directories and links together. Default 0: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Files int64 `json:"files,omitempty"`
}

// HomePath is a directory below the storage root: a relative path with / between its parts, of at most 255
// characters, or "." for the root itself.
//
// The last rule refuses the names under which the daemon hides uploads that are not complete yet.
//
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:XValidation:rule="self == '.' || !self.matches('(^|/)[.]{0,2}(/|$)')",message="home is no relative path: write it as in alice or teams/alice (. is the storage root), without / at either end, // , or parts that are . or .."
// +kubebuilder:validation:XValidation:rule="self.matches('^[\\\\p{L}\\\\p{M}\\\\p{N}\\\\p{P}\\\\p{S} ]*$') && !self.matches('[\\\\\\\\\\\\x{fffd}]')",message="home holds a backslash or a character that can't be printed: take it out (parts of the path are separated by /)"
// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)(^|/)[.]ftpd-')",message="names that begin with .ftpd- (in upper case, too) belong to the daemon: rename that part of home"
type HomePath = string

// User is an account.
type User struct {
	// name is the name that the client logs in with: letters, digits and . _ @ -, beginning with a letter or digit, 1
	// to 64 characters. "anonymous" and "ftp" are reserved for spec.anonymous.
	// +required
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9][A-Za-z0-9._@-]*$')",message="a user name consists of letters, digits and . _ @ - and begins with a letter or digit: rename the user"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['anonymous', 'ftp'])",message="anonymous and ftp are the names of login without an account: rename the user, or use spec.anonymous"
	Name string `json:"name"`

	// passwordSecretRef names the Secret, in the FtpServer's namespace, that holds the password or a hash of it. A
	// password is one line of UTF-8 of at most 1024 bytes. A hash is argon2id ($argon2id$..., with at most 64 MiB of
	// memory, m=65536, 10 passes and 16 lanes) or bcrypt ($2a$, $2b$, $2y$, with a cost of at most 14); the command
	// ftpd hash makes one. A hash of another kind is an error, and is never taken as the password. Only a hash
	// reaches the pods. A changed Secret takes effect within seconds. While the Secret, the key or its content is
	// missing, the former password works for one minute, so that a Secret can be deleted and created again; removing
	// the user revokes it at once.
	// +required
	PasswordSecretRef SecretKeyReference `json:"passwordSecretRef"`

	// home is the user's directory below the storage root, as a relative path such as teams/alice, at most 255
	// characters; "." is the root itself. Default: the user's name. It is created at the first login, and the user
	// can't leave it. Users may share one.
	// +optional
	Home HomePath `json:"home,omitempty"`

	// access is ReadWrite (default), ReadOnly (list and download), or UploadOnly: a drop box, in which files can be
	// stored and directories made, but nothing listed, read, overwritten, renamed or deleted.
	// +optional
	// +kubebuilder:default=ReadWrite
	Access Access `json:"access,omitempty"`

	// rights, if set, replace access: List (see names and their facts), Read (download), Create (store under unused
	// names), Write (create, replace, resume and append to files, and change their facts), Append (to existing
	// files), Delete, Rename (to unused names or, with Write, to those of other files) and Mkdir.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Rights []Right `json:"rights,omitempty"`

	// quota limits what the home may hold. Default: no limit.
	// +optional
	Quota Quota `json:"quota,omitzero"`
}

// SecretKeyReference names a key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name is the name of the Secret, in the FtpServer's namespace.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a Secret's name consists of lower case letters, digits, - and . and begins and ends with a letter or digit: write the Secret's metadata.name"
	Name string `json:"name"`
	// key is the key in the Secret's data. Default "password".
	// +optional
	// +kubebuilder:default=password
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="a key of a Secret consists of letters, digits and - _ . : write one of the Secret's data"
	Key string `json:"key,omitempty"`
}

// AnonymousSpec configures login without an account, as "anonymous" or "ftp" with any password (RFC 1635).
type AnonymousSpec struct {
	// enabled allows anonymous login for all clients that can reach the server. Default false.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// home is the directory below the storage root, in the form of a user's home. Default "anonymous".
	// +optional
	Home HomePath `json:"home,omitempty"`
	// access is ReadOnly (default), UploadOnly (a drop box) or ReadWrite.
	// +optional
	// +kubebuilder:default=ReadOnly
	Access Access `json:"access,omitempty"`

	// rights, if set, replace access, as for a user.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Rights []Right `json:"rights,omitempty"`

	// quota limits what the home may hold, as for a user. Default: no limit.
	// +optional
	Quota Quota `json:"quota,omitzero"`
}
