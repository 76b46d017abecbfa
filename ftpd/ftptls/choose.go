package ftptls

import (
	"crypto/tls"
	"slices"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// certificate is a certificate of the server, with the host names that it is for.
type certificate struct {
	tls.Certificate
	hosts []string // as configured; if empty, the names in the certificate count
}

// choose returns the certificate for a client. Of the certificates that the client supports, it returns the first one
// for the name that the client asks for, or else the first one. If the client supports none of them, it returns the
// first certificate of all.
func choose(certs []certificate, hello *tls.ClientHelloInfo, name string) *tls.Certificate {
	usable := *hello
	usable.ServerName = "" // names are matched below, since the configured hosts may differ from the certificate's names
	var fallback *tls.Certificate
	for i := range certs {
		c := &certs[i]
		if usable.SupportsCertificate(&c.Certificate) != nil {
			continue
		}
		if name != "" && c.isFor(name) {
			return &c.Certificate
		}
		if fallback == nil {
			fallback = &c.Certificate
		}
	}
	if fallback == nil {
		fallback = &certs[0].Certificate
	}
	return fallback
}

// isFor reports whether the certificate is for a host name.
func (c *certificate) isFor(name string) bool {
	if len(c.hosts) > 0 {
		return slices.ContainsFunc(c.hosts, func(pattern string) bool { return config.MatchHost(pattern, name) })
	}
	return c.Leaf.VerifyHostname(name) == nil
}
