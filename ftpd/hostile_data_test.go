package ftpd_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// strangerAt connects to a data port from an address that no session has.
func strangerAt(t *testing.T, addr string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 66)}}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(ftptest.Deadline(t))
	return conn
}

// A stranger that connects to the data port before the client must neither get nor store data, and must not keep the
// client from being served.
func TestHostileDataTheft(t *testing.T) {
	s := besiege(t)
	s.Write(t, "alice/secret", "for alice only")
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t) // the client is the victim here
		for _, passive := range []func() string{c.PasvAddr, c.EpsvAddr} {
			addr := passive()
			thief := strangerAt(t, addr)
			c.Must("RETR secret", "150")
			second := strangerAt(t, addr)
			for _, conn := range []net.Conn{thief, second} {
				if got, _ := io.ReadAll(conn); len(got) != 0 {
					t.Errorf("a thief got %q", got)
				}
			}
			if got, err := io.ReadAll(c.DialData(addr)); string(got) != "for alice only" || err != nil {
				t.Errorf("the client got %q, %v", got, err)
			}
			c.Talk("S: 226 *")

			addr = passive()
			_, _ = io.WriteString(strangerAt(t, addr), "planted")
			c.Must("STOR file", "150")
			_, _ = io.WriteString(strangerAt(t, addr), "planted")
			data := c.DialData(addr)
			_, _ = io.WriteString(data, "alice's")
			_ = data.Close()
			c.Talk("S: 226 *")
			if got := s.Read(t, "alice/file"); got != "alice's" {
				t.Errorf("stored %q", got)
			}
		}
		s.unharmed()
	})
}

// It must not be possible to make the server connect to the bystander, to itself or to another service.
func TestHostileBounce(t *testing.T) {
	s := besiege(t, noBans, activeEnabled)
	victim := listen(t, "127.0.0.1:0")
	s.Write(t, "alice/hello", "world")
	_, control, _ := net.SplitHostPort(s.Addr)
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		for _, command := range []string{
			fmt.Sprintf("PORT 127,0,0,1,%d,%d", port(victim)>>8, port(victim)&255),
			fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port(victim)),
			fmt.Sprintf("EPRT |1|127.0.0.1|%s|", control),
			"PORT 127,0,0,2,0,25",
			"EPRT |1|127.0.0.2|1023|",
			"PORT 224,0,0,1,200,1",
			"PORT 255,255,255,255,200,1",
		} {
			c.Must(command, "504")
			c.Must("RETR hello", "425")
		}
		for _, command := range []string{"PORT 127,0,0,2,200,256", "PORT 127,0,0,2,-1,1", "EPRT |1|127.0.0.2|65536|", "EPRT |1|127.0.0.02|2000|"} {
			c.Must(command, "501")
		}
		s.unharmed()
	})
	_ = victim.(*net.TCPListener).SetDeadline(time.Now())
	if conn, err := victim.Accept(); err == nil {
		t.Errorf("the victim got a connection from %v", conn.RemoteAddr())
	}
}

// Clients that stop reading a download or a listing, in clear text or with TLS, must be cut off.
func TestHostileUnreadData(t *testing.T) {
	a := authority.New(t)
	s := besiege(t, a.WithTLS(), func(c *config.Config) { c.Timeouts.Data = config.Duration(time.Second) })
	s.Write(t, "alice/big", strings.Repeat("0123456789abcdef", 1<<20))
	s.withstands(t, func(t *testing.T) {
		var clients []*ftptest.Client
		for i := range 20 {
			c := s.attacker(t)
			if i%4 == 3 {
				c = ftptest.DialFrom(t, "127.0.0.2", s.Addr)
				c.Talk("S: 220 *")
				c.Secure(a.Client())
				c.LoginAs("alice")
			}
			data := c.Data()
			_ = data.SetReadBuffer(4096)
			c.Must("RETR big", "150")
			_, _ = io.ReadFull(c.Protect(data), make([]byte, 100))
			clients = append(clients, c)
		}
		s.unharmed()
		for _, c := range clients {
			c.Talk(`
				S: 426 *stood still*
				C: NOOP
				S: 200 *`)
		}
	})
}

// If a client sends commands and reads no replies, the server must stop reading from it, use no more memory, and cut
// it off.
func TestHostileUnreadReplies(t *testing.T) {
	s := besiegeWith(t, ftpd.Options{ReplyTimeout: 3 * time.Second})
	for i := range 100 {
		s.Write(t, fmt.Sprint("alice/", strings.Repeat("x", 200), i), "")
	}
	s.withstands(t, func(t *testing.T) {
		for range 3 {
			c := s.attacker(t)
			_ = c.SetReadBuffer(4096)
			_ = c.SetWriteDeadline(time.Now().Add(time.Second))
			flood := strings.Repeat("STAT -la /\r\n", 1000)
			sent, err := 0, error(nil)
			for err == nil && sent < 64<<20 {
				var n int
				n, err = io.WriteString(c, flood)
				sent += n
			}
			if !os.IsTimeout(err) {
				t.Errorf("after %d bytes of commands: %v", sent, err)
			}
			s.unharmed()
		}
		ftptest.Eventually(t, "their sessions end although they stay", func() bool { return s.Status().Sessions == 1 })
		s.unharmed()
	})
}

// Uploads that are reset in the middle must leave nothing visible, whichever command began them.
func TestHostileResetUploads(t *testing.T) {
	a := authority.New(t)
	s := besiege(t, a.WithTLS())
	s.Write(t, "alice/old", "old")
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		secure := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
		secure.Talk("S: 220 *")
		secure.Secure(a.Client())
		secure.LoginAs("alice")
		for _, command := range []string{"STOR old", "STOR new", "APPE old", "APPE new", "STOU"} {
			for _, client := range []*ftptest.Client{c, secure} {
				data := client.Data()
				client.Must(command, "150")
				if _, err := io.WriteString(client.Protect(data), strings.Repeat("x", 1<<20)); err != nil {
					t.Fatal(err)
				}
				_ = data.SetLinger(0)
				_ = data.Close()
				client.Talk("S: 426 *")
				if got := c.Get("NLST"); got != "old\r\n" || s.Read(t, "alice/old") != "old" {
					t.Errorf("%s: there is %q", command, got)
				}
			}
		}
		s.unharmed()
		// The connection is closed, not reset: without TLS that would be the end of the file.
		data := secure.Data()
		secure.Must("STOR new", "150")
		_, _ = io.WriteString(secure.Protect(data), "half")
		_ = data.Close()
		secure.Talk("S: 426 *")
		// The client's process dies.
		data = c.Data()
		c.Must("STOR new", "150")
		_, _ = io.WriteString(data, "half")
		_ = c.SetLinger(0)
		_ = c.Close()
		ftptest.Eventually(t, "the transfer ends", func() bool { return s.Status().Transfers == 0 })
		if got := secure.Get("NLST"); got != "old\r\n" {
			t.Errorf("there is %q", got)
		}
	})
}
