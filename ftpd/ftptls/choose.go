package ftptls

import (
	"crypto/tls"
	"slices"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// certificate is one of the server's, with the names it is for.
type certificate struct {
	tls.Certificate
	hosts []string // as configured; empty: those in the certificate
}

// choose picks the certificate for a client: one for the name it asks for that it can also use,
// else the first that it can use, else the first.
func choose(certs []certificate, hello *tls.ClientHelloInfo, name string) *tls.Certificate {
	usable := *hello
	usable.ServerName = "" // names are matched here, since Hosts may say others than the certificate
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

func (c *certificate) isFor(name string) bool {
	if len(c.hosts) > 0 {
		return slices.ContainsFunc(c.hosts, func(pattern string) bool { return config.MatchHost(pattern, name) })
	}
	return c.Leaf.VerifyHostname(name) == nil
}
