// Package authority issues certificates for tests, and configures servers and clients with them.
package authority

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/test/pki"
)

// validBefore is the time for which certificates of tests have been valid already.
const validBefore = 48 * time.Hour

// Authority issues certificates for tests, as files.
type Authority struct {
	t   testing.TB
	ca  *pki.CA
	dir string
	// File is its certificate, as PEM.
	File string
}

// New makes an authority whose files are gone when the test ends.
func New(t testing.TB) *Authority {
	t.Helper()
	ca, err := pki.NewCA("test authority")
	if err != nil {
		t.Fatal(err)
	}
	a := &Authority{t: t, ca: ca, dir: t.TempDir()}
	a.File = a.write("ca.pem", ca.CertPEM)
	return a
}

func (a *Authority) write(name string, text []byte) string {
	file := filepath.Join(a.dir, name)
	temp := file + ".new"
	if err := os.WriteFile(temp, text, 0o600); err != nil {
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
	cert, key, err := a.ca.Issue(time.Now().Add(-validBefore), until, hosts...)
	if err != nil {
		a.t.Fatal(err)
	}
	return config.Certificate{CertFile: a.write(name+".crt", cert), KeyFile: a.write(name+".key", key)}
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
	cfg := &tls.Config{
		RootCAs: a.ca.Pool, ServerName: "ftp.example.com", MinVersion: tls.VersionTLS12,
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
