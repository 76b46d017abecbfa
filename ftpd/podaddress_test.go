package ftpd_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// pod is a directory like one that the downward API fills.
type pod struct {
	t   *testing.T
	dir string
}

// write replaces a file in one step, as the kubelet does.
func (p pod) write(name, text string) {
	p.t.Helper()
	draft := filepath.Join(p.dir, "draft")
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(draft, filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

// inPod starts a server that reads its ports, and its own address if own is not empty, from files. The address in the
// configuration is 198.51.100.7, unless edits change it.
func inPod(t *testing.T, own string, edits ...func(*config.Config)) (*ftptest.Server, pod) {
	t.Helper()
	p := pod{t, t.TempDir()}
	if own != "" {
		p.write(config.PodAddressFile, own)
	}
	p.write("passive-ports", ftptest.FreePorts(t, "127.0.0.1", 4).String())
	s := ftptest.Start(t, append([]func(*config.Config){func(c *config.Config) {
		c.Passive.Ports, c.Passive.PortsFile = nil, filepath.Join(p.dir, "passive-ports")
		c.Passive.AdvertisedAddress, c.Passive.RequireAddress = "198.51.100.7", true
	}}, edits...)...)
	ftptest.Eventually(t, "ready", func() bool { return s.Ready() == "" })
	return s, p
}

func pasvHost(c *ftptest.Client) string {
	host, _, _ := net.SplitHostPort(c.PasvAddr())
	return host
}

// PASV must name the pod's own address instead of the configuration's, from the first session on, and must follow its
// changes in open sessions. A text that is no address must change nothing but the daemon's status.
func TestPodAddress(t *testing.T) {
	t.Parallel()
	s, pod := inPod(t, "203.0.113.1")
	c := ftptest.Login(t, s.Addr, "alice")
	if got := pasvHost(c); got != "203.0.113.1" {
		t.Fatalf("the first PASV named %s", got)
	}
	named := func(when, own, want string) {
		t.Helper()
		pod.write(config.PodAddressFile, own)
		ftptest.Eventually(t, when+": "+want, func() bool { return s.Status().AdvertisedIP == want })
		if got := pasvHost(c); got != want {
			t.Errorf("%s: PASV named %s, want %s", when, got, want)
		}
	}
	named("another address", "203.0.113.2\n", "203.0.113.2")
	if st := s.Status(); st.PodAddressError != "" || st.AddressError != "" {
		t.Errorf("a good address: /status says %q, %q", st.PodAddressError, st.AddressError)
	}
	named("malformed", "203.0.113", "198.51.100.7")
	if st := s.Status(); !strings.Contains(st.PodAddressError, `"203.0.113" is no IP address`) || !st.Ready {
		t.Errorf("malformed: /status says %q, ready: %v", st.PodAddressError, st.Ready)
	}
	named("mended", "203.0.113.3", "203.0.113.3")
	if st := s.Status(); st.PodAddressError != "" {
		t.Errorf("mended: /status says %q", st.PodAddressError)
	}
	named("empty, as the kubelet writes for a pod without the annotation", "", "198.51.100.7")
	named("back", "203.0.113.4", "203.0.113.4")
	if err := s.Edit(t, func(c *config.Config) { c.Passive.AdvertisedAddress = "198.51.100.8" }); err != nil {
		t.Fatal(err)
	}
	if got := pasvHost(c); got != "203.0.113.4" {
		t.Errorf("after the configuration's address changed PASV named %s", got)
	}
	if err := os.Remove(filepath.Join(pod.dir, config.PodAddressFile)); err != nil {
		t.Fatal(err)
	}
	ftptest.Eventually(t, "the configuration's without the file", func() bool { return s.Status().AdvertisedIP == "198.51.100.8" })
	if got := pasvHost(c); got != "198.51.100.8" {
		t.Errorf("without the file PASV named %s", got)
	}
	if lines := s.Log.Lines("level=WARN", "own address"); len(lines) != 1 {
		t.Errorf("warned %d times, not once: %s", len(lines), lines)
	}
}

// A file that can't be read must not keep the daemon from serving.
func TestPodAddressUnreadable(t *testing.T) {
	t.Parallel()
	s, pod := inPod(t, "")
	if err := os.Mkdir(filepath.Join(pod.dir, config.PodAddressFile), 0o700); err != nil {
		t.Fatal(err)
	}
	ftptest.Eventually(t, "the error", func() bool { return strings.Contains(s.Status().PodAddressError, config.PodAddressFile) })
	if got := pasvHost(ftptest.Login(t, s.Addr, "alice")); got != "198.51.100.7" {
		t.Errorf("PASV named %s", got)
	}
}

// The pod's own address must suffice for readiness, and an IPv6 one must not send IPv4 clients to another pod.
func TestPodAddressAlone(t *testing.T) {
	t.Parallel()
	s, pod := inPod(t, "127.0.0.1", func(c *config.Config) { c.Passive.AdvertisedAddress = "" })
	c := ftptest.Login(t, s.Addr, "alice")
	if reply := c.Put("STOR file", "x"); reply[:3] != "226" {
		t.Error(reply)
	}
	if err := s.Edit(t, func(c *config.Config) { c.Passive.AdvertisedAddress = "198.51.100.7" }); err != nil {
		t.Fatal(err)
	}
	pod.write(config.PodAddressFile, "2001:db8::1")
	ftptest.Eventually(t, "the IPv6 address", func() bool { return s.Status().AdvertisedIP == "2001:db8::1" })
	c.Must("PASV", "425")
	data := c.DialData(c.EpsvAddr()) // the reply names no address
	c.Must("RETR file", "150")
	if got, err := io.ReadAll(data); string(got) != "x" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	c.Talk("S: 226 *")
	if s.Ready() != "" {
		t.Errorf("not ready: %s", s.Ready())
	}
}

// The most specific address must be used: an override for the client's network, then the address that the client has
// connected to according to the PROXY header, then the pod's own address, then the configuration's.
func TestPodAddressPrecedence(t *testing.T) {
	t.Parallel()
	s, _ := inPod(t, "203.0.113.1", behind(config.ProxyAccept, "127.0.0.0/8"), func(c *config.Config) {
		c.Passive.PeerCheck = config.PeerCheckRelaxed // for a client over IPv6
		c.Passive.Overrides = []config.AddressOverride{{Clients: config.Networks(netip.MustParsePrefix("192.0.2.128/25")), Address: "10.0.0.7"}}
	})
	header := func(client string) string {
		return fmt.Sprintf("PROXY TCP4 %s 203.0.113.10 40000 21\r\n", client)
	}
	expect := func(header, want string) {
		t.Helper()
		c := through(t, s, header)
		if got := pasvHost(c); got != want {
			t.Errorf("after %q PASV named %s, want %s", header, got, want)
		}
		c.Must("QUIT", "221")
	}
	expect(header("192.0.2.1"), "203.0.113.1")
	expect(header("192.0.2.200"), "10.0.0.7")
	if err := s.Edit(t, func(c *config.Config) { c.Passive.AdvertisedAddressFrom = config.AddressFromProxyProtocol }); err != nil {
		t.Fatal(err)
	}
	expect(header("192.0.2.1"), "203.0.113.10")
	expect(header("192.0.2.200"), "10.0.0.7")
	expect(v6Header, "203.0.113.1")
	expect(v2Local, "203.0.113.1")
}

// HOST must accept the address by which the client knows the pod.
func TestPodAddressHost(t *testing.T) {
	t.Parallel()
	s, _ := inPod(t, "203.0.113.1")
	c := ftptest.Dial(t, s.Addr)
	c.Talk("S: 220 *")
	c.Must("HOST 203.0.113.1", "220")
	c.Must("HOST 198.51.100.7", "504")
}
