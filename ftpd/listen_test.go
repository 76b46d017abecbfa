package ftpd_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// listening runs ListenAndServe until the test ends, in addition to the listener of ftptest.
func listening(t *testing.T, s *ftptest.Server) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.ListenAndServe() }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; !errors.Is(err, ftpd.ErrServerClosed) {
			t.Errorf("ListenAndServe: %v", err)
		}
	})
	ftptest.Eventually(t, "it listens", func() bool { return dials(s.Config.Listen[0]) })
}

func dials(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// freeAddresses returns unused addresses.
func freeAddresses(t *testing.T, n int) []string {
	t.Helper()
	var held []net.Listener // open until all are found, so that they differ
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		held, all = append(held, l), append(all, l.Addr().String())
	}
	for _, l := range held {
		_ = l.Close()
	}
	return all
}

// TLS and its implicit ports must be opened and closed by reloads while the daemon runs, and sessions must stay.
func TestImplicitPortsFollowTheConfiguration(t *testing.T) {
	a := authority.New(t)
	addrs := freeAddresses(t, 3)
	control, one, two := addrs[0], addrs[1], addrs[2]
	s := ftptest.Start(t, func(c *config.Config) { c.Listen = []string{control} })
	s.Write(t, "file", "content")
	listening(t, s)
	edit := func(ports ...string) {
		t.Helper()
		err := s.Edit(t, func(c *config.Config) {
			c.TLS = nil
			if ports != nil {
				a.WithTLS(func(tls *config.TLS) { tls.ImplicitListen = ports })(c)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	login := func(addr string) *ftptest.Client {
		t.Helper()
		c := ftptest.Dial(t, addr)
		cfg := a.Client()
		c.StartTLS(cfg)
		c.Talk("S: 220 *")
		c.DataTLS(cfg)
		c.LoginAs("alice")
		return c
	}
	works := func(what string, c *ftptest.Client) {
		t.Helper()
		if got := c.Get("RETR file"); got != "content" {
			t.Errorf("%s: %q", what, got)
		}
	}
	closed := func(addr string) {
		t.Helper()
		ftptest.Eventually(t, addr+" is closed", func() bool { return !dials(addr) })
	}

	closed(one)
	edit(one)
	first := login(one)
	edit(one, two)
	second := login(two)
	works("a port that stays", login(one))
	edit(two)
	closed(one)
	works("a session whose port went", first)
	edit()
	closed(two)
	works("a session when TLS went", second)
	works("clear text", ftptest.Login(t, control, "alice"))
	edit(one)
	works("TLS again", login(one))

	// A port that is in use must make the whole configuration be refused.
	taken, err := net.Listen("tcp", two)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	err = s.Edit(t, func(c *config.Config) { c.TLS.ImplicitListen = []string{freeAddresses(t, 1)[0], two} })
	if err == nil || !strings.Contains(err.Error(), "tls.implicitListen") {
		t.Errorf("a port that is taken: %v", err)
	}
	works("after a refused configuration", login(one))
}

// Without ListenAndServe, as in a program with its own listeners, a reload must open nothing.
func TestReloadOpensNothingOfItsOwn(t *testing.T) {
	a := authority.New(t)
	addr := freeAddresses(t, 1)[0]
	s := ftptest.Start(t)
	if err := s.Edit(t, a.WithTLS(func(tls *config.TLS) { tls.ImplicitListen = []string{addr} })); err != nil {
		t.Fatal(err)
	}
	if dials(addr) {
		t.Errorf("listens on %s", addr)
	}
}
