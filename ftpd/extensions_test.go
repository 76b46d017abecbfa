package ftpd_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// RANG must work as in draft-bryan-ftp-range section 3.
func TestRang(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "0123456789")
	c := ftptest.Login(t, s.Addr, "alice")
	for _, tt := range []struct{ rang, want string }{
		{"0 0", "0"}, {"2 4", "234"}, {"9 9", "9"}, {"5 100", "56789"}, {"0 9223372036854775806", "0123456789"}, {"1 0", "0123456789"},
	} {
		c.Must("RANG "+tt.rang, "350")
		if got := c.Get("RETR file"); got != tt.want {
			t.Errorf("RANG %s: %q", tt.rang, got)
		}
	}
	if got := c.Get("RETR file"); got != "0123456789" {
		t.Errorf("a range holds for one transfer only: %q", got)
	}
	for _, bad := range []string{"", "1", "-1 5", "5 -1", "5 4", "a b", "1 2 3", "0 9223372036854775807", "0 99999999999999999999"} {
		c.Must("RANG "+bad, "501")
	}
	c.Must("RANG 10 12", "350")
	c.EpsvAddr()
	c.Must("RETR file", "554")
	c.Must("RANG 2 4", "350")
	c.Must("REST 8", "350")
	if got := c.Get("RETR file"); got != "89" {
		t.Errorf("REST after RANG: %q", got)
	}
	c.Must("REST 8", "350")
	c.Must("RANG 2 4", "350")
	if got := c.Get("RETR file"); got != "234" {
		t.Errorf("RANG after REST: %q", got)
	}
	c.Must("RANG 2 4", "350")
	c.EpsvAddr()
	c.Must("STOR file", "503")
	c.Must("TYPE A", "200")
	c.Must("RANG 2 4", "350")
	c.EpsvAddr()
	c.Must("RETR file", "554")
}

// MFF must work as in draft-somers-ftp-mfxx section 5.
func TestMff(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "a file", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: MFF Modify=20020717210715;UNIX.mode=0604; a file
		S: 213 Modify=20020717210715;UNIX.mode=0604; /a file
		C: mff modify=20030717210715.5; a file
		S: 213 Modify=20030717210715; /a file
		C: MDTM a file
		S: 213 20030717210715
		C: MFF UNIX.mode=640; a file
		S: 213 UNIX.mode=0640; /a file
		C: MFF Create=20020717210715; a file
		S: 504 *
		C: MFF Size=3; a file
		S: 504 *
		C: MFF Modify=20020229210715; a file
		S: 501 *
		C: MFF Modify=20020717210715 a file
		S: 501 *
		C: MFF UNIX.mode=0999; a file
		S: 501 *
		C: MFF Modify; a file
		S: 501 *
		C: MFF Modify=20020717210715;
		S: 501 *
		C: MFF a file
		S: 501 *
		C: MFF Modify=20020717210715; none
		S: 550 *
		C: MFCT 20020717210715 a file
		S: 504 *
		C: MFCT
		S: 501 *`)
	info, err := os.Stat(filepath.Join(s.Root, "a file"))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if feat := features(t, c); strings.Contains(feat, "MFCT") || !strings.Contains(feat, " MFF Modify;UNIX.mode;\n") {
		t.Errorf("FEAT: %s", feat)
	}
	ftptest.Login(t, s.Addr, "reader").Must("MFF Modify=20020717210715; a file", "550")
}

func TestSiteUtime(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "a file", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	for utime, want := range map[string]string{
		"20060708101112 a file": "20060708101112",
		"200607081011 a file":   "20060708101100",
		"a file 20010101000000 20020202020202 20030303030303 UTC": "20020202020202",
	} {
		c.Must("SITE UTIME "+utime, "200")
		if got := c.Do("MDTM a file"); got != "213 "+want {
			t.Errorf("SITE UTIME %s: %q", utime, got)
		}
	}
	c.Talk(`
		C: SITE UTIME
		S: 501 *
		C: SITE UTIME 20060708101112
		S: 501 *
		C: SITE UTIME yesterday a file
		S: 501 *
		C: SITE UTIME a file 20010101000000 20020202020202 UTC
		S: 501 *
		C: SITE UTIME 20060708101112 none
		S: 550 *`)
}

func TestAvbl(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "dir/file", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	for _, command := range []string{"AVBL", "AVBL dir", "AVBL /"} {
		reply := c.Do(command)
		n, err := strconv.ParseInt(strings.TrimPrefix(reply, "213 "), 10, 64)
		if err != nil || n <= 0 {
			t.Errorf("%s: %q", command, reply)
		}
	}
	c.Must("AVBL dir/file", "550")
	c.Must("AVBL none", "550")
}

func TestSiteQuota(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) {
		c.Users[0].Quota = config.Quota{Bytes: 100, Files: 5}
	})
	c := ftptest.Login(t, s.Addr, "alice")
	c.Put("STOR file", "0123456789")
	c.Talk(`
		C: SITE QUOTA
		S: 200-*
		S:  Bytes: 10 used of 100, 90 left
		S:  Files: 1 used of 5, 4 left*
		S: 200 *
		C: AVBL
		S: 213 90`)
	if reply := c.Put("STOR big", strings.Repeat("x", 91)); reply[:3] != "552" {
		t.Error(reply)
	}
	ftptest.Login(t, s.Addr, "reader").Must("SITE QUOTA", "200 You have no quota.")
}

func TestComb(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	for name, content := range map[string]string{"part 1": "one,", "part2": "two,", "part3": "three", "whole": "0,"} {
		s.Write(t, name, content)
	}
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: COMB
		S: 501 *
		C: COMB "whole"
		S: 501 *
		C: COMB "whole" "part 1
		S: 501 *
		C: COMB whole none
		S: 550 *
		C: COMB whole ./whole
		S: 553 *
		C: COMB whole "part 1" part2 part3
		S: 250 *
		C: PWD
		S: 257 *`)
	if got := s.Read(t, "whole"); got != "0,one,two,three" || len(s.Files(t)) != 1 {
		t.Errorf("%q among %q", got, s.Files(t))
	}
	s.Write(t, "x", "x")
	c.Must(`COMB "a ""new"" one" x`, "250")
	if got := s.Read(t, `a "new" one`); got != "x" {
		t.Errorf("got %q", got)
	}
	ftptest.Login(t, s.Addr, "reader").Must("COMB whole x", "550")
	ftptest.Login(t, s.Addr, "dropper").Must("COMB whole x", "550")
}

func TestCsid(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 *
		C: CSID
		S: 501 *
		C: CSID Name=test; Version=1.0;
		S: 200 Name=*; CaseSensitive=1; DirSep=/;`)
}

// EPSV ALL must stay in force (RFC 2428 section 4), even after a failed transfer.
func TestEpsvAllSurvives(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, activeEnabled)
	s.Write(t, "file", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	refused := `
		C: PASV
		S: 503 *
		C: PORT 127,0,0,1,200,1
		S: 503 *
		C: EPRT |1|127.0.0.1|51201|
		S: 503 *`
	c.Must("EPSV ALL", "200")
	c.Talk(refused)
	c.EpsvAddr()
	c.Talk(`
		C: RETR none
		S: 550 *`)
	c.Talk(refused)
	c.EpsvAddr()
	c.Talk(`
		C: RETR file
		S: 150 *
		C: ABOR
		S: 426 *
		S: 226 *`)
	c.Talk(refused)
	if got := c.Get("RETR file"); got != "x" {
		t.Errorf("got %q", got)
	}
}

// Data connections must come from active.sourcePort, also several at a time.
func TestActiveSourcePort(t *testing.T) {
	t.Parallel()
	from := ftptest.FreePorts(t, "127.0.0.1", 1)[0]
	s := ftptest.Start(t, activeEnabled, func(c *config.Config) { c.Active.SourcePort = from })
	s.Write(t, "file", strings.Repeat("x", 1<<20))
	var open []net.Conn
	for range 3 {
		c := ftptest.Login(t, s.Addr, "alice")
		l := listen(t, "127.0.0.1:0")
		c.Must("EPRT |1|127.0.0.1|"+strconv.Itoa(port(l))+"|", "200")
		c.Must("RETR file", "150")
		_ = l.(*net.TCPListener).SetDeadline(ftptest.Deadline(t))
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		open = append(open, conn)
	}
	for _, conn := range open {
		if got := conn.RemoteAddr().(*net.TCPAddr).Port; got != int(from) {
			t.Errorf("from port %d", got)
		}
	}
}

// The first of passive.overrides whose networks contain the client must be used.
func TestPassiveOverrides(t *testing.T) {
	t.Parallel()
	network := func(text string) config.Network {
		var n config.Network
		if err := n.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return n
	}
	s := ftptest.Start(t, func(c *config.Config) {
		c.Passive.AdvertisedAddress = "203.0.113.10"
		c.Passive.Overrides = []config.AddressOverride{
			{Clients: []config.Network{network("10.0.0.0/8"), network("2001:db8::/32")}, Address: "10.1.1.1"},
			{Clients: []config.Network{network("192.0.2.0/24"), network("127.0.0.0/8")}, Address: "192.0.2.1"},
			{Clients: []config.Network{network("127.0.0.1")}, Address: "192.0.2.2"},
		}
	})
	c := ftptest.Login(t, s.Addr, "alice")
	advertised := func(want string) {
		t.Helper()
		if got, _, _ := net.SplitHostPort(c.PasvAddr()); got != want {
			t.Errorf("advertised %s, want %s", got, want)
		}
	}
	advertised("192.0.2.1")
	if err := s.Edit(t, func(c *config.Config) { c.Passive.Overrides = c.Passive.Overrides[2:] }); err != nil {
		t.Fatal(err)
	}
	advertised("192.0.2.2")
	if err := s.Edit(t, func(c *config.Config) { c.Passive.Overrides[0].Address = "localhost" }); err != nil {
		t.Fatal(err)
	}
	ftptest.Eventually(t, "the name is resolved", func() bool { return strings.HasPrefix(c.Do("PASV"), "227") })
	advertised("127.0.0.1")
	if err := s.Edit(t, func(c *config.Config) { c.Passive.Overrides = nil }); err != nil {
		t.Fatal(err)
	}
	advertised("203.0.113.10")
}
