// Package authority issues certificates for tests, and configures servers and clients with them.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Authority issues certificates for tests.
type Authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	// File is its certificate, as PEM.
	File string
}

// New makes an authority whose files are gone when the test ends.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, dir: t.TempDir()}
	a.key = a.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	a.File = a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func (a *Authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *Authority) write(name, kind string, der []byte) string {
	file := filepath.Join(a.dir, name)
	temp := file + ".new"
	if err := os.WriteFile(temp, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	if err := os.Rename(temp, file); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// Issue makes a certificate, good until then, for host names and IP addresses, the first of which
// is its common name. Its files are NAME.crt and NAME.key; those that are there are replaced.
func (a *Authority) Issue(name string, until time.Time, hosts ...string) config.Certificate {
	a.t.Helper()
	key := a.newKey()
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0]},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return config.Certificate{
		CertFile: a.write(name+".crt", "CERTIFICATE", der),
		KeyFile:  a.write(name+".key", "EC PRIVATE KEY", keyDER),
	}
}

// Tomorrow is a time until which certificates of tests are good.
func Tomorrow() time.Time { return time.Now().Add(30 * 24 * time.Hour) }

// WithTLS adds TLS to a configuration, with a certificate for ftp.example.com, and edits it.
func (a *Authority) WithTLS(edits ...func(*config.TLS)) func(*config.Config) {
	return func(c *config.Config) {
		c.TLS = &config.TLS{Certificates: []config.Certificate{a.Issue("server", Tomorrow(), "ftp.example.com")}}
		for _, edit := range edits {
			edit(c.TLS)
		}
	}
}

// Client is a client's TLS, with sessions that it keeps.
func (a *Authority) Client(edits ...func(*tls.Config)) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	cfg := &tls.Config{
		RootCAs: pool, ServerName: "ftp.example.com", MinVersion: tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
	for _, edit := range edits {
		edit(cfg)
	}
	return cfg
}

// TLS12 is a client that knows nothing newer.
func TLS12(cfg *tls.Config) { cfg.MaxVersion = tls.VersionTLS12 }

// NoReuse is a client that keeps no sessions.
func NoReuse(cfg *tls.Config) { cfg.ClientSessionCache = nil }
