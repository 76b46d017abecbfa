package ftpd_test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// noBans turns bans off, to show that the defence does not depend on them.
func noBans(c *config.Config) { off := false; c.Bans.Enabled = &off }

// Slow connections from many addresses, which never log in, must only take places from each other.
func TestHostileSlowLogins(t *testing.T) {
	const most, flood = 40, 400
	s := besiege(t, noBans, func(c *config.Config) { c.Limits.MaxPreLogin = most })
	s.withstands(t, func(t *testing.T) {
		var clients []*ftptest.Client
		for i := range flood {
			c := ftptest.DialFrom(t, fmt.Sprintf("127.0.3.%d", i%200+1), s.Addr)
			c.Talk("S: 220 *")
			if i%2 == 0 {
				c.Send("US") // half a command is no login
			}
			clients = append(clients, c)
			if i%100 == 99 {
				s.unharmed()
				ftptest.Login(t, s.Addr, "reader").Must("PWD", "257") // another client can log in
			}
		}
		ftptest.Eventually(t, "all but the last have been driven out", func() bool {
			return s.Status().Sessions <= most+1+flood/100
		})
		clients[0].Talk(`
			S: 421 Too many clients do not log in*
			S: EOF`)
	})
}

// TLS handshakes that begin, on the control port and the implicit one, and never end must be harmless.
func TestHostileSlowHandshakes(t *testing.T) {
	a := authority.New(t)
	s := besiege(t, noBans, a.WithTLS(), func(c *config.Config) { c.Timeouts.Handshake = config.Duration(8 * time.Second) })
	implicit := s.ServeTLS(t)
	s.withstands(t, func(t *testing.T) {
		var slow []*ftptest.Client
		for i := range 200 {
			from := fmt.Sprintf("127.0.3.%d", i+1)
			if i%2 == 0 {
				c := ftptest.DialFrom(t, from, implicit)
				c.Send("\x16\x03\x01\x02\x00"[:i%6])
				slow = append(slow, c)
				continue
			}
			c := ftptest.DialFrom(t, from, s.Addr)
			c.Talk("S: 220 *")
			c.Must("AUTH TLS", "234")
			c.Send("\x16\x03\x01\x02\x00\x01"[:i%7])
			slow = append(slow, c)
		}
		s.unharmed()
		ftptest.LoginTLS(t, s.Addr, "reader", a.Client()).Must("PWD", "257")
		for _, c := range slow {
			c.Talk("S: EOF")
		}
	})
}

// If one address asks for all ports again and again and uses none, other addresses must still get ports.
func TestHostilePASVFlood(t *testing.T) {
	s := besiege(t, noBans, func(c *config.Config) { c.Passive.ReservationTimeout = config.Duration(time.Second) })
	s.withstands(t, func(t *testing.T) {
		var flood []*ftptest.Client
		for range 30 {
			flood = append(flood, s.attacker(t))
		}
		for range 3 {
			for i, c := range flood {
				c.Send([]string{"PASV\r\n", "EPSV\r\n"}[i%2])
			}
			s.unharmed()
		}
		for _, c := range flood {
			for range 3 {
				if reply := c.Reply(); !slices.Contains([]string{"227", "229", "425"}, reply[:3]) {
					t.Errorf("got %q", reply)
				}
			}
		}
		if n := s.Reservations(); n > len(s.Config.Passive.Ports) {
			t.Errorf("%d reservations of one address", n)
		}
		s.unharmed()
	})
}

// With bans, the attacker must be banned before that.
func TestHostilePASVFloodIsBanned(t *testing.T) {
	s := besiege(t)
	s.withstands(t, func(t *testing.T) {
		for {
			c := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
			reply := c.Reply()
			if reply[:3] == "421" {
				return // and so is each further connection
			}
			c.LoginAs("alice")
			for reply[:3] != "421" {
				reply = c.Do("EPSV")
			}
			s.unharmed()
		}
	})
}

// Strangers may crowd the passive ports, before and while a client is expected.
func TestHostileStrangers(t *testing.T) {
	s := besiege(t)
	s.withstands(t, func(t *testing.T) {
		var crowd []net.Conn
		for i := range 200 {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 3, byte(i+1))}}
			conn, err := d.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Config.Passive.Ports[i%4]))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			crowd = append(crowd, conn)
			if i%50 == 0 {
				s.unharmed()
			}
		}
		for _, conn := range crowd {
			_ = conn.SetDeadline(ftptest.Deadline(t))
			if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF { //nolint:errorlint // Read returns exactly this error
				t.Errorf("a stranger got %d bytes, %v", n, err)
			}
		}
	})
}
