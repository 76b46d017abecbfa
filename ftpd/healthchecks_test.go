package ftpd_test

import (
	"io"
	"net"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// A load balancer that checks each passive port connects and closes at any time. Where clients' addresses are hidden,
// its connections come from the same addresses; even so they must take no transfer from a client.
func TestHealthChecksOfPassivePorts(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Passive.PeerCheck = config.PeerCheckRelaxed })
	c := ftptest.Login(t, s.Addr, "alice")
	for _, command := range []string{"STOR a", "RETR a", "APPE a", "LIST"} {
		addr := c.PasvAddr()
		check, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := check.Close(); err != nil {
			t.Fatal(err)
		}
		data := c.DialData(addr)
		c.Must(command, "150")
		if command == "STOR a" || command == "APPE a" {
			if _, err := io.WriteString(data, "content"); err != nil {
				t.Errorf("%s: %v", command, err)
			}
			_ = data.CloseWrite()
		}
		if got, err := io.ReadAll(data); command == "RETR a" && string(got) != "content" {
			t.Errorf("%s: %q, %v", command, got, err)
		}
		if reply := c.Reply(); reply[:3] != "226" {
			t.Errorf("%s: %s", command, reply)
		}
	}
	if got := s.Read(t, "a"); got != "contentcontent" {
		t.Errorf("the file is %q", got)
	}
}
