package config

import (
	"fmt"
	"slices"
	"strings"
)

// TLS is FTP over TLS (RFC 4217). The daemon speaks it if this section is there.
type TLS struct {
	// Certificates are the server's, at least one. The client's server name (SNI) chooses; where
	// it fits none, or there is no such name, the first serves. The files are read again as they
	// change; what can't be used is reported, and the one before goes on serving.
	Certificates []Certificate `json:"certificates"`
	// Revision is any text. With a changed one the files are read again before the configuration
	// counts; else that they have changed shows within seconds.
	Revision string `json:"revision,omitempty"`
	// MinVersion is "1.2" (default) or "1.3".
	MinVersion TLSVersion `json:"minVersion,omitempty"`
	// Login says whether USER and PASS need TLS on the control connection: Optional (default) or
	// Required (530).
	Login Policy `json:"login,omitempty"`
	// Data says whether data connections need TLS, that is PROT P: Optional (default) or
	// Required (521 at the transfer command).
	Data Policy `json:"data,omitempty"`
	// ImplicitListen holds addresses of control ports on which TLS begins at once, as Listen
	// does. Default none. They are opened and closed as the configuration changes.
	ImplicitListen []string `json:"implicitListen,omitempty"`
	// SessionReuse binds data connections to their control connection. Default Prefer. In YAML
	// "Off" is written in quotes, or as Disabled.
	SessionReuse SessionReuse `json:"sessionReuse,omitempty"`
	// ClientAuth is about certificates of clients.
	ClientAuth ClientAuth `json:"clientAuth,omitempty"`
	// AllowCCC lets a client go back to clear text after login (RFC 4217 section 5), which some
	// firewalls need. What it sends then can be read and forged on the way. Default false.
	AllowCCC bool `json:"allowCCC,omitempty"`
	// AllowTruncation takes an upload for complete though the client closed the connection
	// without TLS's close_notify. An attacker on the way can then cut off uploads unseen; some
	// old clients need it. Default false: such an upload is refused with 426.
	AllowTruncation bool `json:"allowTruncation,omitempty"`
}

// Certificate is a certificate of the server and its key, as PEM files.
type Certificate struct {
	// CertFile holds the certificate, and the intermediate ones after it.
	CertFile string `json:"certFile"`
	// KeyFile holds the certificate's key.
	KeyFile string `json:"keyFile"`
	// Hosts are the server names the certificate is for; "*.example.com" is every name one label
	// below. Default: those the certificate itself names.
	Hosts []string `json:"hosts,omitempty"`
}

// ClientAuth is about certificates of clients.
type ClientAuth struct {
	// Mode is Off (default), Optional (one that is shown must be good) or Required.
	Mode ClientAuthMode `json:"mode,omitempty"`
	// CAFile holds the authorities whose certificates are good, as PEM. Needed unless Mode is Off.
	// It is read again as it changes; sessions that run keep the one they began with.
	CAFile string `json:"caFile,omitempty"`
}

// On reports whether clients may show certificates.
func (a ClientAuth) On() bool { return a.Mode == ClientAuthOptional || a.Mode == ClientAuthRequired }

// Policy says whether something is needed.
type Policy string

// The policies.
const (
	PolicyOptional Policy = "Optional"
	PolicyRequired Policy = "Required"
)

// TLSVersion is the least version of TLS.
type TLSVersion string

// The versions.
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// SessionReuse says what TLS session resumption on data connections is for.
type SessionReuse string

const (
	// SessionReuseOff neither offers nor takes resumption.
	SessionReuseOff SessionReuse = "Off"
	// SessionReuseDisabled is SessionReuseOff, without the quotes that YAML wants for that.
	SessionReuseDisabled SessionReuse = "Disabled"
	// SessionReusePrefer lets clients resume their own control connection's session.
	SessionReusePrefer SessionReuse = "Prefer"
	// SessionReuseRequire refuses data connections that do not (522). It proves that the data
	// connection belongs to the control connection, also where addresses prove nothing.
	SessionReuseRequire SessionReuse = "Require"
)

// ClientAuthMode says whether clients show certificates.
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

// implicitListen is where TLS begins at once.
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

// hostPattern checks a host name, or one whose first label is "*".
func (p *problems) hostPattern(field, host string) {
	if !isHostName(strings.TrimPrefix(host, "*.")) {
		p.add(field, "%q is no host name: write one as in ftp.example.com or *.example.com", host)
	}
}

// oneOf checks a word among those that are known.
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
