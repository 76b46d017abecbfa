package config

import (
	"fmt"
	"slices"
	"strings"
)

// TLS configures FTP over TLS (RFC 4217). The daemon offers TLS if this section exists.
type TLS struct {
	// Certificates are the server's certificates, at least one. The client's server name (SNI) chooses one; if none
	// matches, or the client sends no name, the first is used. The files are read again when they change; if they
	// can't be used this is reported, and the old certificate stays in force.
	Certificates []Certificate `json:"certificates"`
	// Revision is any text. If it changes, the files are read again before the configuration takes effect; otherwise
	// the daemon notices changed files within seconds.
	Revision string `json:"revision,omitempty"`
	// MinVersion is "1.2" (default) or "1.3".
	MinVersion TLSVersion `json:"minVersion,omitempty"`
	// Login says whether USER and PASS need TLS on the control connection: Optional (default) or
	// Required (530).
	Login Policy `json:"login,omitempty"`
	// Data says whether data connections need TLS, that is PROT P: Optional (default) or
	// Required (521 at the transfer command).
	Data Policy `json:"data,omitempty"`
	// ImplicitListen lists addresses of control ports on which TLS begins at once, in the form of Listen. Default
	// none. They are opened and closed when the configuration changes.
	ImplicitListen []string `json:"implicitListen,omitempty"`
	// SessionReuse says whether data connections must resume the TLS session of their control connection. Default
	// Prefer. In YAML, "Off" must be written in quotes, or as Disabled.
	SessionReuse SessionReuse `json:"sessionReuse,omitempty"`
	// ClientAuth configures certificates of clients.
	ClientAuth ClientAuth `json:"clientAuth,omitempty"`
	// AllowCCC allows clients to return to clear text after login (RFC 4217 section 5), which some firewalls need.
	// After that, others can read and forge what the client sends. Default false.
	AllowCCC bool `json:"allowCCC,omitempty"`
	// AllowTruncation accepts an upload as complete even if the client closed the connection without TLS's
	// close_notify. Some old clients need that, but it lets an attacker on the network cut off uploads unnoticed.
	// Default false: such an upload is refused with 426.
	AllowTruncation bool `json:"allowTruncation,omitempty"`
}

// Certificate is a certificate of the server and its key, as PEM files.
type Certificate struct {
	// CertFile contains the certificate, followed by the intermediate certificates.
	CertFile string `json:"certFile"`
	// KeyFile contains the certificate's key.
	KeyFile string `json:"keyFile"`
	// Hosts lists the server names that the certificate is for; "*.example.com" means every name one label below
	// example.com. Default: the names in the certificate.
	Hosts []string `json:"hosts,omitempty"`
}

// ClientAuth configures certificates of clients.
type ClientAuth struct {
	// Mode is Off (default), Optional (a client need not send a certificate, but a bad one is refused) or Required.
	Mode ClientAuthMode `json:"mode,omitempty"`
	// CAFile contains the certificates, as PEM, of the authorities that issue the clients' certificates. Required
	// unless Mode is Off. It is read again when it changes; open sessions keep the old one.
	CAFile string `json:"caFile,omitempty"`
}

// On reports whether clients may send certificates.
func (a ClientAuth) On() bool { return a.Mode == ClientAuthOptional || a.Mode == ClientAuthRequired }

// Policy says whether something is required.
type Policy string

// The policies.
const (
	PolicyOptional Policy = "Optional"
	PolicyRequired Policy = "Required"
)

// TLSVersion is the lowest accepted version of TLS.
type TLSVersion string

// The versions.
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// SessionReuse says whether data connections resume the TLS session of their control connection.
type SessionReuse string

const (
	// SessionReuseOff neither offers nor accepts resumption.
	SessionReuseOff SessionReuse = "Off"
	// SessionReuseDisabled is the same as SessionReuseOff, and needs no quotes in YAML.
	SessionReuseDisabled SessionReuse = "Disabled"
	// SessionReusePrefer allows clients to resume the session of their control connection.
	SessionReusePrefer SessionReuse = "Prefer"
	// SessionReuseRequire refuses data connections that do not resume it (522). That proves that the data connection
	// belongs to the control connection, even where addresses prove nothing.
	SessionReuseRequire SessionReuse = "Require"
)

// ClientAuthMode says whether clients send certificates.
type ClientAuthMode string

// The modes.
const (
	ClientAuthOff      ClientAuthMode = "Off"
	ClientAuthOptional ClientAuthMode = "Optional"
	ClientAuthRequired ClientAuthMode = "Required"
)

func (t *TLS) setDefaults() {
	if t == nil {
		return
	}
	setDefault(&t.MinVersion, TLS12)
	setDefault(&t.Login, PolicyOptional)
	setDefault(&t.Data, PolicyOptional)
	setDefault(&t.SessionReuse, SessionReusePrefer)
	if t.SessionReuse == SessionReuseDisabled {
		t.SessionReuse = SessionReuseOff
	}
	setDefault(&t.ClientAuth.Mode, ClientAuthOff)
}

// implicitListen returns the addresses on which TLS begins at once.
func (c *Config) implicitListen() []string {
	if c.TLS == nil {
		return nil
	}
	return c.TLS.ImplicitListen
}

func (p *problems) tls(t *TLS) {
	if t == nil {
		return
	}
	if len(t.Certificates) == 0 {
		p.add("tls.certificates", "is empty: name at least one certFile and keyFile, or remove the section tls")
	}
	for i, c := range t.Certificates {
		p.certificate(fmt.Sprintf("tls.certificates[%d]", i), c)
	}
	oneOf(p, "tls.minVersion", t.MinVersion, TLS12, TLS13)
	oneOf(p, "tls.login", t.Login, PolicyOptional, PolicyRequired)
	oneOf(p, "tls.data", t.Data, PolicyOptional, PolicyRequired)
	oneOf(p, "tls.sessionReuse", t.SessionReuse, SessionReuseOff, SessionReusePrefer, SessionReuseRequire)
	oneOf(p, "tls.clientAuth.mode", t.ClientAuth.Mode, ClientAuthOff, ClientAuthOptional, ClientAuthRequired)
	if t.ClientAuth.On() && t.ClientAuth.CAFile == "" {
		p.add("tls.clientAuth.caFile", "is missing: name the file of the authorities that issue the clients' certificates")
	}
}

func (p *problems) certificate(field string, c Certificate) {
	if c.CertFile == "" {
		p.add(field+".certFile", "is missing: name the PEM file of the certificate")
	}
	if c.KeyFile == "" {
		p.add(field+".keyFile", "is missing: name the PEM file of the certificate's key")
	}
	for i, host := range c.Hosts {
		p.hostPattern(fmt.Sprintf("%s.hosts[%d]", field, i), host)
	}
}

// hostPattern checks a host name whose first label may be "*".
func (p *problems) hostPattern(field, host string) {
	if !isHostName(strings.TrimPrefix(host, "*.")) {
		p.add(field, "%q is no host name: write one as in ftp.example.com or *.example.com", host)
	}
}

// oneOf checks that a word is one of the known ones.
func oneOf[T ~string](p *problems, field string, value T, known ...T) {
	if slices.Contains(known, value) {
		return
	}
	if value == "false" && slices.Contains(known, "Off") {
		p.add(field, "is the boolean that YAML takes Off for: write it in quotes, as %q", "Off")
		return
	}
	var words []string
	for _, k := range known {
		words = append(words, string(k))
	}
	p.add(field, "%q is unknown: write %s or %s", value, strings.Join(words[:len(words)-1], ", "), words[len(words)-1])
}
