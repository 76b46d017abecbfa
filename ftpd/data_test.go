package ftpd_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func activeEnabled(c *config.Config) { c.Active.Enabled = true }

func TestPasv(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "hello", "world")
	c := ftptest.Login(t, s.Addr, "alice")
	for range 10 { // more often than there are ports
		addr := c.PasvAddr()
		host, port, _ := net.SplitHostPort(addr)
		var n uint16
		_, _ = fmt.Sscan(port, &n)
		if host != "127.0.0.1" || !s.Config.Passive.Ports.Contains(n) {
			t.Fatalf("PASV named %s", addr)
		}
		data := c.DialData(addr)
		c.Must("RETR hello", "150")
		if got, err := io.ReadAll(data); string(got) != "world" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		c.Talk(`S: 226 *`)
	}
	c.Must("RETR hello", "425") // PASV serves one transfer
}

func TestPasvAdvertised(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Passive.AdvertisedAddress = "203.0.113.10" })
	c := ftptest.Login(t, s.Addr, "alice")
	if addr := c.PasvAddr(); !strings.HasPrefix(addr, "203.0.113.10:") {
		t.Errorf("PASV named %s", addr)
	}
	if err := s.Edit(t, func(c *config.Config) { c.Passive.AdvertisedAddress = "203.0.113.11" }); err != nil {
		t.Fatal(err)
	}
	if addr := c.PasvAddr(); !strings.HasPrefix(addr, "203.0.113.11:") {
		t.Errorf("after the change PASV named %s", addr)
	}
	if err := s.Edit(t, func(c *config.Config) { c.Passive.AdvertisedAddress = "2001:db8::1" }); err != nil {
		t.Fatal(err)
	}
	c.Must("PASV", "425")
	c.EpsvAddr()
	if st := s.Status(); st.AdvertisedIP != "2001:db8::1" || st.DataPeer != config.DataPeerStrict {
		t.Errorf("status says %q and %q", st.AdvertisedIP, st.DataPeer)
	}
	if err := s.Edit(t, func(c *config.Config) { c.Passive.PeerCheck = config.PeerCheckRelaxed }); err != nil {
		t.Fatal(err)
	}
	if st := s.Status(); st.DataPeer != config.DataPeerRelaxed {
		t.Errorf("after the change status says %q", st.DataPeer)
	}
}

func TestEpsv(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, activeEnabled)
	s.Write(t, "hello", "world")
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: EPSV 1
		S: 229 Entering Extended Passive Mode (|||*|)
		C: EPSV 2
		S: 522 Network protocol not supported, use (1)
		C: EPSV 3
		S: 522 *(1)
		C: EPSV x
		S: 501 *
		C: epsv all
		S: 200 *
		C: PASV
		S: 503 *
		C: PORT 127,0,0,1,200,1
		S: 503 *
		C: EPRT |1|127.0.0.1|50000|
		S: 503 *`)
	c.Data()
	c.Must("RETR nothing", "550")
	c.Must("PASV", "503") // EPSV ALL stays in force after a failed transfer
	if got := c.Get("RETR hello"); got != "world" {
		t.Errorf("got %q", got)
	}
	c.Must("PASV", "503")
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	s := ftptest.StartOn(t, "::1", activeEnabled)
	c := ftptest.Login(t, s.Addr, "alice")
	if reply := c.Put("STOR file", "by IPv6"); reply[:3] != "226" {
		t.Fatal(reply)
	}
	if got := c.Get("RETR file"); got != "by IPv6" {
		t.Errorf("got %q", got)
	}
	c.Talk(`
		C: PASV
		S: 425 *EPSV*
		C: EPSV 1
		S: 522 *(2)
		C: EPSV 2
		S: 229 *
		C: EPRT |1|127.0.0.1|50000|
		S: 522 *(2)
		C: PORT 127,0,0,1,200,1
		S: 504 *`)
	for range 20 { // a refused PASV must hold no port
		c.Must("PASV", "425")
	}
	l := listen(t, "[::1]:0")
	c.Must(fmt.Sprintf("EPRT |2|::1|%d|", port(l)), "200")
	c.Must("RETR file", "150")
	if got := accepted(t, l); got != "by IPv6" {
		t.Errorf("active mode: %q", got)
	}
	c.Talk(`S: 226 *`)
}

// A server on every address must serve IPv4 and IPv6 on the same ports, and must recognize IPv4 clients as such.
func TestDualStack(t *testing.T) {
	t.Parallel()
	s := ftptest.StartOn(t, "", activeEnabled)
	_, p, _ := net.SplitHostPort(s.Addr)
	for _, host := range []string{"127.0.0.1", "::1"} {
		c := ftptest.Login(t, net.JoinHostPort(host, p), "alice")
		if reply := c.Put("STOR "+strings.ReplaceAll(host, ":", "_"), host); reply[:3] != "226" {
			t.Error(reply)
		}
	}
	c := ftptest.Login(t, net.JoinHostPort("127.0.0.1", p), "alice")
	if addr := c.PasvAddr(); !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Errorf("PASV named %s", addr)
	}
	l := listen(t, "127.0.0.1:0")
	c.Must(fmt.Sprintf("PORT 127,0,0,1,%d,%d", port(l)>>8, port(l)&255), "200")
	c.Must("RETR 127.0.0.1", "150")
	if got := accepted(t, l); got != "127.0.0.1" {
		t.Errorf("active mode: %q", got)
	}
}

func listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// accepted returns what is sent over the next connection.
func accepted(t *testing.T, l net.Listener) string {
	t.Helper()
	_ = l.(*net.TCPListener).SetDeadline(ftptest.Deadline(t))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestActive(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, activeEnabled)
	s.Write(t, "hello", "world")
	c := ftptest.Login(t, s.Addr, "alice")
	l := listen(t, "127.0.0.1:0")
	for _, command := range []string{
		fmt.Sprintf("PORT 127,0,0,1,%d,%d", port(l)>>8, port(l)&255),
		fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port(l)),
		fmt.Sprintf("EPRT |1|0.0.0.0|%d|", port(l)), // as lftp sends it
	} {
		c.Must(command, "200")
		c.Must("RETR hello", "150")
		if got := accepted(t, l); got != "world" {
			t.Errorf("%s: got %q", command, got)
		}
		c.Talk(`S: 226 *`)
	}
	_ = l.Close()
	c.Must(fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port(l)), "200")
	c.Must("RETR hello", "150")
	c.Talk(`S: 425 *`)
	c.Talk(`
		C: PORT 127,0,0,1,256,1
		S: 501 *
		C: PORT
		S: 501 *
		C: EPRT |1|127.0.0.1|
		S: 501 *
		C: EPRT |9|127.0.0.1|50000|
		S: 522 *(1)
		C: EPRT |2|::1|50000|
		S: 522 *(1)`)
}

// The daemon must not connect to any address but the client's (RFC 2577).
func TestBounce(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, activeEnabled)
	victim := listen(t, "127.0.0.2:0")
	s.Write(t, "hello", "world")
	c := ftptest.Login(t, s.Addr, "alice")
	for _, command := range []string{
		fmt.Sprintf("PORT 127,0,0,2,%d,%d", port(victim)>>8, port(victim)&255),
		fmt.Sprintf("EPRT |1|127.0.0.2|%d|", port(victim)),
		"PORT 127,0,0,1,0,25",
		"PORT 127,0,0,1,3,255",
		"EPRT |1|127.0.0.1|1023|",
		"PORT 255,255,255,255,200,1",
	} {
		c.Must(command, "504")
		c.Must("RETR hello", "425")
	}
	_ = victim.(*net.TCPListener).SetDeadline(time.Now())
	if _, err := victim.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the victim got a connection: %v", err)
	}
}

func TestActiveDisabled(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: PORT 127,0,0,1,200,1
		S: 502 *PASV*
		C: EPRT |1|127.0.0.1|50000|
		S: 502 *`)
	if err := s.Edit(t, activeEnabled); err != nil {
		t.Fatal(err)
	}
	c.Must("PORT 127,0,0,1,200,1", "200")
}

// A connection to a passive port that is not from its client must be dropped, and must do no harm.
func TestStranger(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "hello", "world")
	c := ftptest.Login(t, s.Addr, "alice")
	addr := c.EpsvAddr()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
	stranger, err := dialer.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Close() }()
	c.Must("RETR hello", "150")
	_ = stranger.SetDeadline(ftptest.Deadline(t))
	if got, _ := io.ReadAll(stranger); len(got) > 0 {
		t.Errorf("the stranger got %q", got)
	}
	if got, err := io.ReadAll(c.DialData(addr)); string(got) != "world" || err != nil {
		t.Errorf("the client got %q, %v", got, err)
	}
	c.Talk(`S: 226 *`)
}

func TestRelaxedPeers(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Passive.PeerCheck = config.PeerCheckRelaxed })
	s.Write(t, "hello", "world")
	c := ftptest.Login(t, s.Addr, "alice")
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
	data, err := dialer.Dial("tcp", c.EpsvAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = data.Close() }()
	c.Must("RETR hello", "150")
	if got, err := io.ReadAll(data); string(got) != "world" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPortsExhausted(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Passive.Ports = c.Passive.Ports[:1] })
	first := ftptest.Login(t, s.Addr, "alice")
	second := ftptest.Login(t, s.Addr, "alice")
	first.EpsvAddr()
	if err := s.Edit(t, func(c *config.Config) { c.Passive.ReservationTimeout = config.Duration(time.Second) }); err != nil {
		t.Fatal(err)
	}
	second.Must("EPSV", "425")
	first.Must("ABOR", "226") // gives the port back
	second.EpsvAddr()
	second.Must("QUIT", "221") // gives the port back, too
	first.EpsvAddr()
}

// A client that never connects must get 425 when its reservation has expired.
func TestNoDataConnection(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Passive.ReservationTimeout = config.Duration(time.Second) })
	c := ftptest.Login(t, s.Addr, "alice")
	c.EpsvAddr()
	c.Talk(`
		C: STOR file
		S: 150 *
		S: 425 *`)
	if files := s.Files(t); len(files) != 0 {
		t.Errorf("left behind: %q", files)
	}
}
