package v1alpha1

// TLSMode says whether clients have to use TLS.
// +kubebuilder:validation:Enum=Disabled;Optional;Required
type TLSMode string

const (
	// TLSDisabled speaks no TLS.
	TLSDisabled TLSMode = "Disabled"
	// TLSOptional lets each client choose.
	TLSOptional TLSMode = "Optional"
	// TLSRequired takes no password, and moves no data, in clear text.
	TLSRequired TLSMode = "Required"
)

// DataProtection says whether data connections need TLS.
// +kubebuilder:validation:Enum=Optional;Required
type DataProtection string

const (
	// DataProtectionOptional lets each client choose (PROT C or PROT P).
	DataProtectionOptional DataProtection = "Optional"
	// DataProtectionRequired refuses transfers without PROT P.
	DataProtectionRequired DataProtection = "Required"
)

// TLSVersion is the least version of TLS.
// +kubebuilder:validation:Enum="1.2";"1.3"
type TLSVersion string

// The versions.
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// SessionReuse says what TLS session resumption on data connections is for.
// +kubebuilder:validation:Enum=Disabled;Prefer;Require
type SessionReuse string

const (
	// SessionReuseDisabled neither offers nor takes resumption.
	SessionReuseDisabled SessionReuse = "Disabled"
	// SessionReusePrefer lets clients resume their own control connection's session.
	SessionReusePrefer SessionReuse = "Prefer"
	// SessionReuseRequire refuses data connections that do not.
	SessionReuseRequire SessionReuse = "Require"
)

// ClientAuthMode says whether clients show certificates.
// +kubebuilder:validation:Enum=Optional;Required
type ClientAuthMode string

const (
	// ClientAuthOptional: a certificate that is shown must be good.
	ClientAuthOptional ClientAuthMode = "Optional"
	// ClientAuthRequired: a client without a good certificate gets no further than the handshake.
	ClientAuthRequired ClientAuthMode = "Required"
)

// TLSSpec is FTP over TLS (RFC 4217): explicit by AUTH TLS on the control port, and implicit on a
// port of its own.
//
// The certificates' Secrets may come after the server. A new server starts once they are there; one
// that served without TLS before goes on so until then. A Secret that is replaced takes
// effect within seconds, without a restart, for new sessions; one that is lost or unusable leaves
// what was good in force, and the condition CertificateReady tells of it.
//
// +kubebuilder:validation:XValidation:rule="self.mode == 'Disabled' || has(self.secretName)",message="tls.secretName is missing: name a Secret of type kubernetes.io/tls, or set tls.mode to Disabled",fieldPath=".secretName"
type TLSSpec struct {
	// mode is Required (default: no password and no file in clear text), Optional (each client
	// chooses) or Disabled. It is about logins and data connections; see data for these alone.
	// +optional
	// +kubebuilder:default=Required
	Mode TLSMode `json:"mode,omitempty"`

	// data says whether data connections need TLS (PROT P): Required or Optional. Default: as mode
	// says. Optional under mode Required protects passwords and leaves files to the clients' choice.
	// +optional
	Data DataProtection `json:"data,omitempty"`

	// secretName names the Secret, in the FtpServer's namespace, with the server's certificate: of
	// type kubernetes.io/tls, with tls.crt (the certificate, then the intermediate ones, as PEM)
	// and tls.key, as cert-manager makes them. Needed unless mode is Disabled.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a Secret's name consists of lower case letters, digits, - and . and begins and ends with a letter or digit: write the Secret's metadata.name"
	SecretName string `json:"secretName,omitempty"`

	// extraCertificates are further ones, at most 16, for clients that ask for one of their names
	// (SNI, or HOST before AUTH TLS). The one of secretName serves all others.
	// +optional
	// +listType=map
	// +listMapKey=secretName
	// +kubebuilder:validation:MaxItems=16
	ExtraCertificates []ExtraCertificate `json:"extraCertificates,omitempty"`

	// minVersion of TLS: "1.2" (default) or "1.3".
	// +optional
	// +kubebuilder:default="1.2"
	MinVersion TLSVersion `json:"minVersion,omitempty"`

	// clientCA asks clients for certificates, besides their passwords. Default: they are not asked.
	// +optional
	ClientCA *ClientCASpec `json:"clientCA,omitempty"`

	// sessionReuse binds data connections to their control connection by TLS session resumption:
	// Prefer (default: a client may resume its own), Require (data connections that do not are
	// refused, which proves whose they are, also where client addresses are hidden) or Disabled. Some
	// clients can't resume: try yours before you require it.
	// +optional
	// +kubebuilder:default=Prefer
	SessionReuse SessionReuse `json:"sessionReuse,omitempty"`

	// implicit is one more control port, on which TLS begins at once (ftps://), for clients that
	// don't know AUTH TLS. Off by default.
	// +optional
	Implicit *ImplicitTLSSpec `json:"implicit,omitempty"`

	// allowCCC: true lets clients send commands in clear text again after the login (CCC, RFC 4217
	// section 5), for firewalls that have to read them. They can then be read and forged on the
	// way. Default false.
	// +optional
	AllowCCC bool `json:"allowCCC,omitempty"`

	// allowTruncation: true takes an upload for complete though its client closed the connection
	// without TLS's close_notify, as some old clients do. An attacker on the way can then cut
	// uploads off unseen. Default false: such an upload is refused, and leaves nothing behind.
	// +optional
	AllowTruncation bool `json:"allowTruncation,omitempty"`
}

// ExtraCertificate is one more certificate of the server.
type ExtraCertificate struct {
	// secretName names the Secret that holds it, as tls.secretName does.
	// +required
	// +kubebuilder:validation:MaxLength=240
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a Secret's name consists of lower case letters, digits, - and . and begins and ends with a letter or digit: write the Secret's metadata.name"
	SecretName string `json:"secretName"`
	// hosts are the server names that it is for, at most 32; *.example.com is every name one label
	// below. Default: those that the certificate itself names.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	Hosts []HostPattern `json:"hosts,omitempty"`
}

// HostPattern is a host name, or one whose first label is *.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^([*][.])?[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$') && !self.matches('(^|[.])[0-9]+$')",message="a host is a name as in ftp.example.com, or *.example.com for every name one label below: write one, without a port or scheme"
type HostPattern string

// ClientCASpec asks clients for certificates.
type ClientCASpec struct {
	// secretName names the Secret, in the FtpServer's namespace, with the certificates of the
	// authorities that issue the clients' ones, as PEM under the key ca.crt. It may be the one of
	// the server's certificate.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a Secret's name consists of lower case letters, digits, - and . and begins and ends with a letter or digit: write the Secret's metadata.name"
	SecretName string `json:"secretName"`
	// mode is Required (default: no session without a good certificate) or Optional (one that is
	// shown must be good).
	// +optional
	// +kubebuilder:default=Required
	Mode ClientAuthMode `json:"mode,omitempty"`
}

// ImplicitTLSSpec is the control port on which TLS begins at once.
type ImplicitTLSSpec struct {
	// enabled: true opens it. Default false.
	// +optional
	// +kubebuilder:default=false
	Enabled bool `json:"enabled,omitempty"`
	// port of the Service, 1 to 65535, outside the passive range and not service.port. Default 990.
	// +optional
	// +kubebuilder:default=990
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// nodePort of this port, as service.nodePort is of the control port. Unset, the cluster chooses.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort *int32 `json:"nodePort,omitempty"`
}
