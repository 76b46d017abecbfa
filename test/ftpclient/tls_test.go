package ftpclient_test

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// TestTLS: the client has the TLS features that the tests on a cluster need.
func TestTLS(t *testing.T) {
	a := authority.New(t)
	server := ftptest.Start(t, a.WithTLS(func(c *config.TLS) {
		c.Login, c.Data, c.SessionReuse = config.PolicyRequired, config.PolicyRequired, config.SessionReuseRequire
	}))
	addresses := map[ftpclient.TLSMode]string{ftpclient.Explicit: server.Addr, ftpclient.Implicit: server.ServeTLS(t)}
	content := bytes.Repeat([]byte("content "), 1<<16)
	for mode, address := range addresses {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(string(mode)+" "+tls.VersionName(version), func(t *testing.T) {
				fresh := func() *tls.Config {
					cfg := a.Client()
					cfg.MaxVersion = version
					cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
					return cfg
				}
				c, err := ftpclient.LoginTLS(t.Context(), ftpclient.Host{}, mode, address, "alice", ftptest.Password, fresh())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				if c.Certificate() == nil {
					t.Error("no certificate")
				}
				for range 2 {
					if err := c.Store(t.Context(), ftpclient.EPSV, "file", content); err != nil || !c.Resumed() {
						t.Fatalf("upload: resumed %v, %v", c.Resumed(), err)
					}
					got, err := c.Retrieve(t.Context(), ftpclient.PASV, "file")
					if err != nil || !bytes.Equal(got, content) {
						t.Fatalf("download: %d bytes, %v", len(got), err)
					}
				}
				c.DataTLS(fresh())
				if _, err := c.Retrieve(t.Context(), ftpclient.EPSV, "file"); err == nil || !strings.Contains(err.Error(), "522") {
					t.Errorf("download without the session: %v", err)
				}
				if err := c.Store(t.Context(), ftpclient.EPSV, "other", content); err == nil || !strings.Contains(err.Error(), "522") {
					t.Errorf("upload without the session: %v", err)
				}
				if err := c.Quit(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
