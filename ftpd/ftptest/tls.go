package ftptest

import (
	"bufio"
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

// NewAuthority makes an authority whose files are gone when the test ends.
func NewAuthority(t testing.TB) *Authority {
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

// Issue makes a certificate, good until then, for host names, the first of which is its common
// name. Its files are NAME.crt and NAME.key; those that are there are replaced.
func (a *Authority) Issue(name string, until time.Time, hosts ...string) config.Certificate {
	a.t.Helper()
	key := a.newKey()
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
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

// secured is a client's TLS.
type secured struct {
	control *tls.Conn
	config  *tls.Config // for data connections; nil: they are in clear text
}

// StartTLS does the handshake on the control connection.
func (c *Client) StartTLS(cfg *tls.Config) *tls.Conn {
	c.t.Helper()
	c.control = tls.Client(c.TCPConn, cfg)
	_ = c.SetDeadline(time.Now().Add(patience))
	if err := c.control.Handshake(); err != nil {
		c.t.Fatalf("TLS handshake: %v", err)
	}
	c.r, c.w = bufio.NewReader(c.control), c.control
	return c.control
}

// ClearText goes back to the control connection in clear text, after the server's close_notify.
func (c *Client) ClearText() {
	c.t.Helper()
	if line, err := c.Line(); err == nil {
		c.t.Fatalf("expected close_notify, got %q", line)
	}
	if err := c.control.CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
	c.control = nil
	_ = c.SetDeadline(time.Now().Add(patience))
	c.r, c.w = bufio.NewReader(c.TCPConn), c.TCPConn
}

// Secure sends AUTH TLS, does the handshake, and has data connections protected.
func (c *Client) Secure(cfg *tls.Config) {
	c.t.Helper()
	c.Must("AUTH TLS", "234")
	c.StartTLS(cfg)
	c.Must("PBSZ 0", "200")
	c.Must("PROT P", "200")
	c.config = cfg
}

// LoginTLS connects, secures the connection and logs in.
func LoginTLS(t testing.TB, addr, user string, cfg *tls.Config) *Client {
	t.Helper()
	c := Dial(t, addr)
	c.Talk("S: 220 *")
	c.Secure(cfg)
	c.LoginAs(user)
	return c
}

// DataTLS is the TLS of data connections from now on; nil: they are in clear text.
func (c *Client) DataTLS(cfg *tls.Config) { c.config = cfg }

// Protect does the handshake on a data connection, if there is to be one. A failed one shows when
// the connection is used.
func (c *Client) Protect(raw *net.TCPConn) net.Conn {
	c.t.Helper()
	if c.config == nil {
		return raw
	}
	data := tls.Client(raw, c.config)
	_ = data.Handshake()
	return data
}
