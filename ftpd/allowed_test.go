package ftpd_test

import (
	"net/netip"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func allow(prefixes ...string) func(*config.Config) {
	return func(c *config.Config) {
		c.AllowedNetworks = nil
		for _, p := range prefixes {
			c.AllowedNetworks = append(c.AllowedNetworks, config.Networks(netip.MustParsePrefix(p))...)
		}
	}
}

// Only clients of the allowed networks must be admitted; a change must apply to the next session, and end no session.
func TestAllowedNetworks(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, allow("127.0.0.0/31", "2001:db8::/32"))
	inside := ftptest.Login(t, s.Addr, "alice")
	refused := func(from string) {
		t.Helper()
		ftptest.DialFrom(t, from, s.Addr).Talk(`
			S: 421 Service not available: clients of your network are not allowed here; try again later.
			S: EOF`)
	}
	refused("127.0.0.2")
	if n := len(s.Log.Lines(`reason="clients of your network are not allowed here"`)); n != 1 {
		t.Errorf("%d refusals were logged, want 1", n)
	}
	if err := s.Edit(t, allow("127.0.0.2/32")); err != nil {
		t.Fatal(err)
	}
	inside.Must("NOOP", "200")
	refused("127.0.0.1")
	other := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
	other.Talk("S: 220 *")
	other.LoginAs("alice")
	if err := s.Edit(t, allow()); err != nil {
		t.Fatal(err)
	}
	ftptest.Login(t, s.Addr, "alice")
}

// Behind a proxy the client's address must decide, not the proxy's.
func TestAllowedNetworksBehindAProxy(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, behind(config.ProxyRequire, "127.0.0.0/8"), allow("192.0.2.0/24"))
	through(t, s, v1Header).Must("NOOP", "200")
	c := ftptest.Dial(t, s.Addr)
	c.Send(v6Header)
	c.Talk(`
		S: 421 *not allowed*
		S: EOF`)
}
