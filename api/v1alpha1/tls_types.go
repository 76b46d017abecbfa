package v1alpha1

// TLSMode says whether clients must use TLS.
// +kubebuilder:validation:Enum=Disabled;Optional;Required
type TLSMode string

const (
	// TLSDisabled offers no TLS.
	TLSDisabled TLSMode = "Disabled"
	// TLSOptional lets each client choose.
	TLSOptional TLSMode = "Optional"
	// TLSRequired refuses passwords and, unless TLSSpec.Data says otherwise, transfers in clear text.
	TLSRequired TLSMode = "Required"
)

// DataProtection says whether data connections must use TLS.
// +kubebuilder:validation:Enum=Optional;Required
type DataProtection string

const (
	// DataProtectionOptional lets each client choose (PROT C or PROT P).
	DataProtectionOptional DataProtection = "Optional"
	// DataProtectionRequired refuses transfers without PROT P.
	DataProtectionRequired DataProtection = "Required"
)

// TLSVersion is the lowest accepted version of TLS.
// +kubebuilder:validation:Enum="1.2";"1.3"
type TLSVersion string

// These are the versions.
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// SessionReuse says whether data connections resume the TLS session of their control connection.
// +kubebuilder:validation:Enum=Disabled;Prefer;Require
type SessionReuse string

const (
	// SessionReuseDisabled neither offers nor accepts resumption.
	SessionReuseDisabled SessionReuse = "Disabled"
	// SessionReusePrefer lets clients resume the session of their own control connection.
	SessionReusePrefer SessionReuse = "Prefer"
	// SessionReuseRequire refuses data connections that do not resume their control connection's session.
	SessionReuseRequire SessionReuse = "Require"
)

// ClientAuthMode says whether clients must send certificates.
// +kubebuilder:validation:Enum=Optional;Required
type ClientAuthMode string

const (
	// ClientAuthOptional accepts clients without a certificate, but refuses invalid certificates.
	ClientAuthOptional ClientAuthMode = "Optional"
	// ClientAuthRequired refuses clients without a valid certificate in the TLS handshake.
	ClientAuthRequired ClientAuthMode = "Required"
)

// TLSSpec configures FTP over TLS (RFC 4217): explicit TLS by AUTH TLS on the control port, and implicit TLS on a
// port of its own.
//
// The certificates' Secrets may be created after the server. A new server starts once they exist; one that ran
// without TLS before continues to do so until then. A replaced Secret takes effect for new sessions within seconds,
// without a restart. If a Secret is deleted or becomes unusable, its last good content stays in force, which the
// condition CertificateReady reports.
//
// +kubebuilder:validation:XValidation:rule="self.mode == 'Disabled' || has(self.secretName)",message="tls.secretName is missing: name a Secret of type kubernetes.io/tls, or set tls.mode to Disabled",fieldPath=".secretName"
type TLSSpec struct {
	// mode is Required (default: no passwords and no files in clear text), Optional (each client chooses) or
	// Disabled. It applies to logins and data connections; data overrides it for the latter.
	// +optional
	// +kubebuilder:default=Required
	Mode TLSMode `json:"mode,omitempty"`

	// data says whether data connections must use TLS (PROT P): Required or Optional. Default: as mode says. Optional
	// under mode Required protects passwords and lets clients choose for files.
	// +optional
	Data DataProtection `json:"data,omitempty"`

	// secretName is the name of the Secret, in the FtpServer's namespace, with the server's certificate. Its type is
	// kubernetes.io/tls, as cert-manager creates it, with tls.crt (the certificate, then the intermediate ones, as
	// PEM) and tls.key. Required unless mode is Disabled.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a Secret's name consists of lower case letters, digits, - and . and begins and ends with a letter or digit: write the Secret's metadata.name"
	SecretName string `json:"secretName,omitempty"`

	// extraCertificates are further certificates, at most 16, for clients that ask for one of their names (SNI, or
	// HOST before AUTH TLS). The one of secretName serves all other clients.
	// +optional
	// +listType=map
	// +listMapKey=secretName
	// +kubebuilder:validation:MaxItems=16
	ExtraCertificates []ExtraCertificate `json:"extraCertificates,omitempty"`

	// minVersion is the lowest accepted version of TLS: "1.2" (default) or "1.3".
	// +optional
	// +kubebuilder:default="1.2"
	MinVersion TLSVersion `json:"minVersion,omitempty"`

	// clientCA asks clients for certificates, in addition to passwords. Default: they are not asked.
	// +optional
	ClientCA *ClientCASpec `json:"clientCA,omitempty"`

	// sessionReuse binds data connections to their control connection by TLS session resumption. Prefer (default)
	// lets a client resume the session of its control connection. Require refuses data connections that do not, which
	// proves whose they are even where client addresses are hidden. Disabled offers no resumption. Some clients can't
	// resume: test yours before you require it.
	// +optional
	// +kubebuilder:default=Prefer
	SessionReuse SessionReuse `json:"sessionReuse,omitempty"`

	// implicit is an additional control port, on which TLS begins at once (ftps://), for clients that do not know
	// AUTH TLS. Off by default.
	// +optional
	Implicit *ImplicitTLSSpec `json:"implicit,omitempty"`

	// allowCCC lets clients send commands in clear text again after login (CCC, RFC 4217 section 5), for firewalls
	// that must read them. Attackers on the network can then read and forge commands. Default false.
	// +optional
	AllowCCC bool `json:"allowCCC,omitempty"`

	// allowTruncation accepts an upload as complete even if the client closed the connection without TLS's
	// close_notify, as some old clients do. Attackers on the network can then cut off uploads unnoticed. Default
	// false: such an upload counts as broken off (see storage.partialUploads).
	// +optional
	AllowTruncation bool `json:"allowTruncation,omitempty"`
}

// ExtraCertificate is a further certificate of the server.
type ExtraCertificate struct {
	// secretName is the name of the Secret that holds the certificate, in the form of tls.secretName.
	// +required
	// +kubebuilder:validation:MaxLength=240
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a Secret's name consists of lower case letters, digits, - and . and begins and ends with a letter or digit: write the Secret's metadata.name"
	SecretName string `json:"secretName"`
	// hosts are the server names that the certificate is for, at most 32; *.example.com means every name one label
	// below. Default: the names in the certificate.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	Hosts []HostPattern `json:"hosts,omitempty"`
}

// HostPattern is a host name whose first label may be *.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^([*][.])?[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$') && !self.matches('(^|[.])[0-9]+$')",message="a host is a name as in ftp.example.com, or *.example.com for every name one label below: write one, without a port or scheme"
type HostPattern string

// ClientCASpec configures the certificates of clients.
type ClientCASpec struct {
	// secretName is the name of the Secret, in the FtpServer's namespace, with the certificates of the authorities
	// that issue the clients' certificates, as PEM under the key ca.crt. It may be the Secret of the server's
	// certificate.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a Secret's name consists of lower case letters, digits, - and . and begins and ends with a letter or digit: write the Secret's metadata.name"
	SecretName string `json:"secretName"`
	// mode is Required (default: a session needs a valid certificate) or Optional (a client may send none, but an
	// invalid one is refused).
	// +optional
	// +kubebuilder:default=Required
	Mode ClientAuthMode `json:"mode,omitempty"`
}

// ImplicitTLSSpec configures the control port on which TLS begins at once.
type ImplicitTLSSpec struct {
	// enabled opens the port. Default false.
	// +optional
	// +kubebuilder:default=false
	Enabled bool `json:"enabled,omitempty"`
	// port is the port of the Service, 1 to 65535, outside the passive range and not service.port. Default 990.
	// +optional
	// +kubebuilder:default=990
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// nodePort is the node port of this port, with the rules of service.nodePort. Default: the cluster chooses one.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort *int32 `json:"nodePort,omitempty"`
}
