package ftpd_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// behind makes the server trust a network of proxies.
func behind(mode config.ProxyMode, trusted string) func(*config.Config) {
	return func(c *config.Config) {
		c.ProxyProtocol = config.ProxyProtocol{Mode: mode, Trusted: config.Networks(netip.MustParsePrefix(trusted))}
	}
}

const (
	v1Header = "PROXY TCP4 192.0.2.1 203.0.113.10 40000 21\r\n"
	v6Header = "PROXY TCP6 2001:db8::1 2001:db8::2 40000 21\r\n"
	v2Header = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xcb\x00\x71\x0a\x9c\x40\x00\x15"
	v2Local  = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
)

// through connects like a proxy that sends the header, and logs in as alice.
func through(t *testing.T, s *ftptest.Server, header string) *ftptest.Client {
	t.Helper()
	c := ftptest.Dial(t, s.Addr)
	c.Send(header)
	c.Talk("S: 220 *")
	c.LoginAs("alice")
	return c
}

// Both connections come through the proxy, and the addresses in their headers must be the ones that matter.
func TestProxy(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, behind(config.ProxyRequire, "127.0.0.0/8"))
	s.Write(t, "file", strings.Repeat("0123456789", 100000))
	for _, header := range []string{v1Header, v2Header} {
		c := through(t, s, header)
		c.Talk(`
			C: STAT
			S: ...
			S:  Connected from 192.0.2.1
			S: ...
			S: 211 *`)
		host, _, _ := net.SplitHostPort(c.PasvAddr()) // the address that the client knows
		if host != "203.0.113.10" {
			t.Errorf("PASV named %s", host)
		}

		addr := c.EpsvAddr()
		stranger := c.DialData(addr)
		_, _ = io.WriteString(stranger, strings.Replace(v1Header, "192.0.2.1", "192.0.2.2", 1))
		if n, err := stranger.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Error("a stranger's data connection was taken")
		}
		data := c.DialData(addr)
		_, _ = io.WriteString(data, header)
		c.Must("RETR file", "150")
		if got, err := io.ReadAll(data); len(got) != 1000000 || err != nil {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		c.Talk("S: 226 *")

		data = c.DialData(c.EpsvAddr())
		_, _ = io.WriteString(data, header+"the content, right behind the header")
		_ = data.CloseWrite()
		c.Must("STOR new", "150")
		c.Talk("S: 226 *")
		if got := s.Read(t, "new"); got != "the content, right behind the header" {
			t.Errorf("stored %q", got)
		}
	}
	if n := len(s.Log.Lines("event=login", "peer=192.0.2.1:40000", "proxy=127.0.0.1:", "user=alice")); n != 2 {
		t.Errorf("%d logins were logged with the client's address", n)
	}
}

func TestProxyIPv6(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, behind(config.ProxyAccept, "127.0.0.0/8"))
	c := through(t, s, v6Header) // the proxy itself may use another family
	c.Must("PASV", "425")
	c.Must("EPSV 1", "522")
	data := c.DialData(c.EpsvAddr())
	_, _ = io.WriteString(data, v6Header)
	c.Must("NLST", "150")
	if got, err := io.ReadAll(data); err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	c.Talk("S: 226 *")
}

// In active mode the server must connect to the client directly, not through the proxy, from any local address.
func TestProxyActive(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, behind(config.ProxyRequire, "127.0.0.1/32"), activeEnabled)
	s.Write(t, "file", "hello")
	l, err := net.Listen("tcp", "127.0.0.9:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := through(t, s, strings.Replace(v1Header, "192.0.2.1", "127.0.0.9", 1))
	c.Must(fmt.Sprintf("EPRT |1|127.0.0.1|%d|", l.Addr().(*net.TCPAddr).Port), "504") // the proxy is not the client
	c.Must(fmt.Sprintf("EPRT |1|127.0.0.9|%d|", l.Addr().(*net.TCPAddr).Port), "200")
	c.Must("RETR file", "150")
	data, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	if got, err := io.ReadAll(data); string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	c.Talk("S: 226 *")
}

// Headers from outside the trusted networks must never be believed.
func TestProxyUntrusted(t *testing.T) {
	t.Parallel()
	open := ftptest.Start(t, behind(config.ProxyAccept, "10.0.0.0/8"))
	c := ftptest.Dial(t, open.Addr)
	c.Send(v1Header)
	c.Talk(`
		S: 220 *
		S: 500 *`)
	c.LoginAs("alice")
	c.Talk(`
		C: STAT
		S: ...
		S:  Connected from 127.0.0.1
		S: ...
		S: 211 *`)
	data := c.Data()
	c.Must("STOR forged", "150")
	_, _ = io.WriteString(data, v1Header)
	_ = data.Close()
	c.Talk("S: 226 *")
	if got := open.Read(t, "forged"); got != v1Header {
		t.Errorf("stored %q", got)
	}

	closed := ftptest.Start(t, behind(config.ProxyRequire, "10.0.0.0/8"))
	c = ftptest.Dial(t, closed.Addr)
	c.Talk(`
		S: 421 *through the load balancer only*
		S: EOF`)

	off := ftptest.Start(t)
	c = ftptest.Dial(t, off.Addr)
	c.Send(v1Header)
	c.Talk(`
		S: 220 *
		S: 500 *`)
}

// A proxy that sends no header, or a bad one, must get no session; its health check must work.
func TestProxyWithoutHeader(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, behind(config.ProxyRequire, "127.0.0.0/8"))
	for _, sent := range []string{"USER alice\r\n", "PROXY TCP4 192.0.2.1\r\n", strings.Repeat("PROXY", 100), "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00"} {
		c := ftptest.Dial(t, s.Addr)
		c.Send(sent)
		c.Talk("S: EOF")
	}
	probe := ftptest.Dial(t, s.Addr) // only checks whether the port is open
	_ = probe.CloseWrite()
	probe.Talk("S: EOF")
	waiting := ftptest.Dial(t, s.Addr) // must not keep other clients waiting
	check := ftptest.Dial(t, s.Addr)
	check.Send(v2Local)
	check.Talk(`
		S: 220 *
		C: QUIT
		S: 221 *`)
	through(t, s, v1Header)
	waiting.Send(v1Header)
	waiting.Talk("S: 220 *")
}

// A client behind a proxy must be banned and limited for what it does, and the proxy must not be.
func TestProxyBansAndLimits(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, behind(config.ProxyRequire, "127.0.0.0/8"), failures(1), func(c *config.Config) {
		c.Passive.PeerCheck, c.Limits.MaxSessionsPerAddress = config.PeerCheckRelaxed, 2 // with the proxy, addresses are not hidden
	})
	bad := ftptest.Dial(t, s.Addr)
	bad.Send(v1Header)
	bad.Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS wrong
		S: 421 *
		S: EOF`)
	again := ftptest.Dial(t, s.Addr)
	again.Send(v2Header)
	again.Talk(`
		S: 421 *banned*
		S: EOF`)
	if list := s.Bans(); len(list) != 1 || list[0].Subject != bans.Address(netip.MustParseAddr("192.0.2.1")) {
		t.Errorf("%+v", list)
	}
	for i, want := range []string{"220 *", "220 *", "421 *too many sessions from your address*"} {
		c := ftptest.Dial(t, s.Addr)
		c.Send(strings.Replace(v6Header, "2001:db8::1", "2001:db8::"+string(rune('a'+i)), 1)) // all from one network
		c.Talk("S: " + want)
	}
}

// Turning the PROXY protocol on and off must apply to later connections.
func TestProxyReload(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	before := ftptest.Login(t, s.Addr, "alice")
	if err := s.Edit(t, behind(config.ProxyRequire, "127.0.0.0/8")); err != nil {
		t.Fatal(err)
	}
	through(t, s, v1Header)
	before.Must("PWD", "257")
	data := before.DialData(before.EpsvAddr())
	_, _ = io.WriteString(data, strings.Replace(v1Header, "192.0.2.1", "127.0.0.1", 1))
	before.Must("NLST", "150")
	before.Talk("S: 226 *")
	if err := s.Edit(t, func(c *config.Config) { c.ProxyProtocol = config.ProxyProtocol{} }); err != nil {
		t.Fatal(err)
	}
	ftptest.Login(t, s.Addr, "alice")
}
