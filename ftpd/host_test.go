package ftpd_test

import (
	"crypto/tls"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// HOST must work as in RFC 7151 section 3.
func TestRFC7151Host(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS(func(c *config.TLS) {
		c.Certificates = append(c.Certificates, a.Issue("other", authority.Tomorrow(), "other.example.com"))
	}), func(c *config.Config) { c.Hosts = []string{"ftp.example.com", "*.example.net", "other.example.com"} })
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: HOST
		S: 501 *
		C: HOST ftp.example.com:2112
		S: 501 *
		C: HOST 127.0.0.1:2112
		S: 501 *
		C: HOST [2001:db8::c000:201]:2112
		S: 501 *
		C: HOST not a host
		S: 501 *
		C: HOST unknown.example.com
		S: 504 *
		C: HOST 192.0.2.1
		S: 504 *
		C: HOST [2001:db8::c000:201]
		S: 504 *
		C: HOST 127.0.0.1
		S: 220 *
		C: hOsT Any.Example.Net
		S: 220 *
		C: HOST FTP.example.com
		S: 220 *`)
	c.LoginAs("alice")
	c.Talk(`
		C: HOST ftp.example.com
		S: 503 *
		C: REIN
		S: 220 *
		C: HOST ftp.example.com
		S: 220 *`)

	// Without a server name in TLS, HOST must choose the certificate, until REIN (section 3.2.1).
	for _, x := range []struct{ between, want string }{{"NOOP", "other.example.com"}, {"REIN", "ftp.example.com"}} {
		c := ftptest.Dial(t, s.Addr)
		c.Talk("S: 220 *")
		c.Must("HOST other.example.com", "220")
		c.Must(x.between, "2")
		c.Must("AUTH TLS", "234")
		state := c.StartTLS(a.Client(func(cfg *tls.Config) {
			cfg.ServerName, cfg.InsecureSkipVerify = "", true //nolint:gosec // a test
		})).ConnectionState()
		if name := state.PeerCertificates[0].DNSNames[0]; name != x.want {
			t.Errorf("after HOST other.example.com and %s the certificate is %s", x.between, name)
		}
	}

	// With one, both names must be the same, in either order.
	c = ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: AUTH TLS
		S: 234 *`)
	c.StartTLS(a.Client())
	c.Talk(`
		C: HOST other.example.com
		S: 504 *
		C: HOST ftp.example.com
		S: 220 *`)
	c = ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: HOST other.example.com
		S: 220 *
		C: AUTH TLS
		S: 234 *`)
	c.StartTLS(a.Client())
	c.Talk(`
		S: 421 *
		S: EOF`)
}
