package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// A configuration that was refused must come into force when what it lacked exists: first its certificate, then its
// port. The file does not change meanwhile, and no signal is sent.
func TestRefusedConfigurationIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := startConfigured(t, nil)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	a := authority.New(t)
	there := a.Issue("ftp", authority.Tomorrow(), "ftp.example.com")
	later := config.Certificate{CertFile: there.CertFile + ".later", KeyFile: there.KeyFile + ".later"}
	next := d.Config
	next.TLS = &config.TLS{Certificates: []config.Certificate{later}, ImplicitListen: []string{taken.Addr().String()}}
	d.write(next)
	d.logged(later.CertFile)
	ftptest.Login(t, d.Listen[0], "alice").Must("AUTH TLS", "50") // the old configuration is still in force

	for from, to := range map[string]string{there.CertFile: later.CertFile, there.KeyFile: later.KeyFile} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	d.logged("tls.implicitListen")
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	ftptest.Eventually(t, "implicit TLS is served", func() bool {
		conn, err := net.Dial("tcp", next.TLS.ImplicitListen[0])
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	c := ftptest.Dial(t, next.TLS.ImplicitListen[0])
	c.StartTLS(a.Client())
	c.Talk("S: 220 *")
	c.LoginAs("alice")
	ftptest.LoginTLS(t, d.Listen[0], "alice", a.Client()).Must("QUIT", "221")
}

// If a file is changed and changed back between two checks, its final content must be in force, even if a signal has
// made the daemon read it in between.
func TestChangedAndChangedBack(t *testing.T) {
	t.Parallel()
	d := startConfigured(t, nil)
	for i := range 3 {
		between := d.Config
		between.Users = []config.User{ftptest.User(fmt.Sprintf("bob%d", i), ".", config.AccessReadWrite)}
		d.write(between)
		d.signals <- syscall.SIGHUP
		d.logged("hash=" + hashOf(t, between))
		d.write(d.Config)
		ftptest.Eventually(t, "alice can log in", func() bool {
			c := ftptest.Dial(t, d.Listen[0])
			defer func() { _ = c.Close() }()
			c.Reply()
			c.Must("USER alice", "331")
			return strings.HasPrefix(c.Do("PASS "+ftptest.Password), "230")
		})
	}
}

func hashOf(t *testing.T, c config.Config) string {
	t.Helper()
	data, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return config.Hash(data)
}
