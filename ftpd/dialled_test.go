package ftpd_test

import (
	"net"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// Behind a load balancer with several addresses, PASV must name the one that the client has connected to, if the
// PROXY header reports it and the configuration says so; else the advertised one.
func TestPasvNamesWhatWasDialled(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, behind(config.ProxyAccept, "127.0.0.0/8"), func(c *config.Config) {
		c.Passive.AdvertisedAddress = "198.51.100.7"
		c.Passive.PeerCheck = config.PeerCheckRelaxed // for a client over IPv6
	})
	expect := func(header, want string) {
		t.Helper()
		c := through(t, s, header)
		if host, _, _ := net.SplitHostPort(c.PasvAddr()); host != want {
			t.Errorf("after %q PASV named %s, want %s", header, host, want)
		}
		c.Must("QUIT", "221")
	}
	expect(v1Header, "198.51.100.7")
	if err := s.Edit(t, func(c *config.Config) { c.Passive.AdvertisedAddressFrom = config.AddressFromProxyProtocol }); err != nil {
		t.Fatal(err)
	}
	expect(v1Header, "203.0.113.10")
	expect(v2Header, "203.0.113.10")
	expect("PROXY TCP4 192.0.2.1 203.0.113.11 40000 21\r\n", "203.0.113.11")
	expect(v6Header, "198.51.100.7")
	expect(v2Local, "198.51.100.7")
}
