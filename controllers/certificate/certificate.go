// Package certificate reads certificates from the Secrets that spec.tls names, and checks them. It is pure. Its
// messages contain no values of a Secret, except what a certificate, which is public, says about itself.
package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// CAKey is the key of a Secret's data that holds certificates of authorities.
const CAKey = "ca.crt"

// These are the largest PEM files, in bytes, that are parsed. Parsing takes many times their size in memory, and for
// keys the time grows with the cube of their length. An RSA key of 16384 bits has 12.7 KB.
const (
	maxChain = 128 << 10
	maxKey   = 16 << 10
	maxCA    = 512 << 10
)

// Pair is a certificate, followed by the intermediate certificates, and its private key.
type Pair struct {
	// CertPEM and KeyPEM are the contents of the Secret, unchanged.
	CertPEM, KeyPEM []byte
	// Leaf is the first certificate, which is the server's.
	Leaf *x509.Certificate
}

// Problem says why a Secret can't be used.
type Problem struct {
	// Missing is true if a key of the Secret is missing; otherwise its content is unusable.
	Missing bool
	// Message says what is wrong with which key and what to do, as in "tls.key is missing: ...".
	Message string
}

func missing(key, what string) *Problem {
	return &Problem{Missing: true, Message: fmt.Sprintf("key %q is missing: put %s there", key, what)}
}

func unusable(format string, args ...any) *Problem {
	return &Problem{Message: fmt.Sprintf(format, args...)}
}

// Read reads the pair from the data of a Secret of type kubernetes.io/tls.
func Read(data map[string][]byte) (*Pair, *Problem) {
	const certKey, keyKey = corev1.TLSCertKey, corev1.TLSPrivateKeyKey
	p := &Pair{CertPEM: data[certKey], KeyPEM: data[keyKey]}
	switch {
	case blank(p.CertPEM):
		return nil, missing(certKey, "the certificate, as PEM,")
	case blank(p.KeyPEM):
		return nil, missing(keyKey, "the certificate's key, as PEM,")
	}
	chain, problem := certificates(certKey, p.CertPEM, maxChain)
	if problem != nil {
		return nil, problem
	}
	p.Leaf = chain[0]
	if problem := privateKey(keyKey, p.KeyPEM); problem != nil {
		return nil, problem
	}
	// The error of X509KeyPair is dropped: it might reveal something about the key.
	if _, err := tls.X509KeyPair(p.CertPEM, p.KeyPEM); err != nil {
		return nil, unusable("%s is not the key of the first certificate in %s (of %s): put the two together, and the server's certificate before the intermediate ones",
			keyKey, certKey, name(p.Leaf))
	}
	return p, nil
}

// ReadCA reads the authorities' certificates from the data of a Secret.
func ReadCA(data map[string][]byte) ([]byte, *Problem) {
	text := data[CAKey]
	if blank(text) {
		return nil, missing(CAKey, "the certificates of the authorities, as PEM,")
	}
	if _, problem := certificates(CAKey, text, maxCA); problem != nil {
		return nil, problem
	}
	return text, nil
}

func tooLong(key string, text []byte, most int) *Problem {
	if len(text) <= most {
		return nil
	}
	return unusable("%s has %d bytes, and %d is the most: leave out what is not needed", key, len(text), most)
}

func blank(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 }

// certificates parses all certificates in a PEM text; it is a problem if there is none.
func certificates(key string, text []byte, most int) ([]*x509.Certificate, *Problem) {
	if problem := tooLong(key, text, most); problem != nil {
		return nil, problem
	}
	var all []*x509.Certificate
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, unusable("certificate %d of %s can't be read: put it there anew, as PEM", len(all)+1, key)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, unusable("%s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): put one there", key)
	}
	return all, nil
}

// privateKey returns a problem if the text holds no private key, or one that is encrypted.
func privateKey(key string, text []byte) *Problem {
	if problem := tooLong(key, text, maxKey); problem != nil {
		return problem
	}
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		switch {
		case block == nil:
			return unusable("%s holds no private key in PEM form: put the certificate's there", key)
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return unusable("%s is protected by a passphrase, which the server does not know: store it without one", key)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil
		}
	}
}

// name returns a name of the certificate for messages.
func name(c *x509.Certificate) string {
	switch {
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	}
	return "serial number " + c.SerialNumber.Text(16)
}

// Covers reports whether a client that dials host accepts the certificate. host is a host name, an IP address, or
// "*.example.com" for any name in that domain.
func (p *Pair) Covers(host string) bool {
	if below, wild := strings.CutPrefix(host, "*."); wild {
		host = "any." + below
	}
	return p.Leaf.VerifyHostname(host) == nil
}

// Names returns the host names and IP addresses that the certificate names.
func (p *Pair) Names() []string {
	names := append([]string(nil), p.Leaf.DNSNames...)
	for _, ip := range p.Leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// Expired reports whether the certificate has expired at the time now.
func (p *Pair) Expired(now time.Time) bool { return now.After(p.Leaf.NotAfter) }
