package ftpd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
)

// unusedCounts is an Observer that counts only unused reservations.
type unusedCounts struct {
	observe.Observer
	heard chan observe.UnusedReservation
}

func (u unusedCounts) Unused(why observe.UnusedReservation) { u.heard <- why }

// A reservation that ends without a data connection must be counted and logged with what the client was told, however
// it ends: this is what it looks like when a client is told an address that it can't reach. A reservation that was
// used must not be counted, nor one whose command was refused.
func TestUnusedReservations(t *testing.T) {
	t.Parallel()
	o := unusedCounts{Observer: ftpd.Unobserved, heard: make(chan observe.UnusedReservation, 100)}
	s := ftptest.StartWith(t, ftpd.Options{Observer: o}, func(c *config.Config) {
		c.Passive.AdvertisedAddress = "192.0.2.7"
		c.Passive.ReservationTimeout = config.Duration(5 * time.Minute)
	})
	s.Write(t, "file", "x")
	heard := func(why observe.UnusedReservation, told string) {
		t.Helper()
		if got := <-o.heard; got != why {
			t.Errorf("heard of %v, want %v", got, why)
		}
		line := fmt.Sprintf(`msg="told %s, nobody came"`, told)
		ftptest.Eventually(t, line, func() bool {
			return strings.Contains(s.Log.String(), "level=INFO "+line) && strings.Contains(s.Log.String(), "why="+why.String())
		})
	}
	login := func() *ftptest.Client { return ftptest.Login(t, s.Addr, "alice") }
	port := func(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

	c := login()
	used := c.Get("RETR file") + c.Get("NLST")
	c.EpsvAddr()
	c.Must("RETR nothing", "550")
	if len(o.heard) > 0 {
		t.Errorf("after %q: heard of %v", used, <-o.heard)
	}

	first := c.PasvAddr()
	second := c.EpsvAddr()
	heard(observe.UnusedReplaced, first)
	c.Must("ABOR", "226")
	heard(observe.UnusedAborted, "port "+port(second))
	waits := c.PasvAddr()
	c.Must("RETR file", "150")
	c.Must("ABOR", "426")
	c.Talk("S: 226 *")
	heard(observe.UnusedAborted, waits)
	last := c.PasvAddr()
	c.Must("QUIT", "221")
	heard(observe.UnusedSessionEnded, last)
	c = login()
	last = c.PasvAddr()
	c.Must("LIST", "150")
	_ = c.Close()
	heard(observe.UnusedSessionEnded, last)

	if err := s.Edit(t, func(c *config.Config) { c.Passive.ReservationTimeout = config.Duration(time.Second) }); err != nil {
		t.Fatal(err)
	}
	c = login()
	waits = c.PasvAddr()
	c.Must("LIST", "150")
	c.Talk("S: 425 *")
	heard(observe.UnusedExpired, waits)
}
