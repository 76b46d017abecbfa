package passive

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// A connection that was in the listener's queue before the port was promised to anybody, as one that
// a client's earlier session has left there, takes nobody's place, whatever it has sent; the client's
// own is waited for.
func TestLeftoverConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := unbound(1)
	port := p.ports[0]
	accept := func() (client, server *net.TCPConn) {
		t.Helper()
		client = dial(t, loopback, uint16(l.Addr().(*net.TCPAddr).Port)) //nolint:gosec // a port
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return client, conn.(*net.TCPConn)
	}
	for name, leave := range map[string]func(*net.TCPConn) error{
		"silent": func(*net.TCPConn) error { return nil },
		"data":   func(c *net.TCPConn) error { _, err := c.Write([]byte("for somebody else")); return err },
		"closed": (*net.TCPConn).CloseWrite,
	} {
		client, left := accept()
		if err := leave(client); err != nil {
			t.Fatal(err)
		}
		eventually(t, name+": it has been there for a while", func() bool { return lastSeen(left).before(tickClock()) })
		r := reserve(t, p, Request{Client: loopback, Timeout: long})
		before := p.Stats().Strangers
		p.arrive(port, left, loopback)
		wantDropped(t, client)
		if got := p.Stats().Strangers - before; got != 1 {
			t.Errorf("%s: %d strangers are counted, want 1", name, got)
		}
		client, own := accept()
		p.arrive(port, own, loopback)
		server, err := r.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantConnected(t, client, server)
	}
}

func TestLastSeen(t *testing.T) {
	t.Parallel()
	p := listen(t, "127.0.0.1", 1)
	before := tickClock()
	client := dial(t, loopback, p.ports[0])
	if seen := lastSeen(client); seen < 0 || seen.before(before) {
		t.Errorf("a connection made after %v is from %v", time.Duration(before), time.Duration(seen))
	}
	_ = client.Close()
	if seen := lastSeen(client); seen >= 0 || seen.before(tickClock()) || before.before(seen) {
		t.Error("a closed connection has a time")
	}
}

// However busy the machine, a client's own connection is never taken for a leftover.
func TestNoClientIsTakenForALeftover(t *testing.T) {
	t.Parallel()
	p := listen(t, "127.0.0.1", 4)
	var clients sync.WaitGroup
	for i := range 50 {
		clients.Go(func() {
			from := netip.AddrFrom4([4]byte{127, 0, 1, byte(i + 1)})
			for range 50 {
				r, err := p.Reserve(t.Context(), Request{Client: from, Timeout: long})
				if err != nil {
					t.Error(err)
					return
				}
				client, err := dialFrom(from, netip.AddrPortFrom(loopback, r.Port()))
				if err != nil {
					t.Error(err)
					return
				}
				server, err := r.Accept(t.Context())
				if err != nil {
					t.Error(err)
				} else {
					_ = server.Close()
				}
				_ = client.Close()
				r.Release()
			}
		})
	}
	clients.Wait()
	if s := p.Stats(); s.Strangers > 0 || s.Accepted != s.Reserved {
		t.Errorf("stats %+v", s)
	}
}
