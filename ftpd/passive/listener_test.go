package passive

import (
	"net"
	"net/netip"
	"sync"
	"testing"
)

// A connection that was made before the port was reserved, such as one that a client's earlier session has left
// behind, does not count, whatever it has sent and whether or not it was accepted by then. Accept waits for the
// client's own connection.
func TestLeftoverConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	q, err := newListener(l.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	p := unbound(1)
	port := p.ports[0]
	p.listeners = map[uint16]*listener{port: q}
	made := uint64(0)
	connect := func() *net.TCPConn {
		t.Helper()
		made++
		client := dial(t, loopback, uint16(l.Addr().(*net.TCPAddr).Port)) //nolint:gosec // a port
		eventually(t, "the connection is made", func() bool { return q.last() == made })
		return client
	}
	accept := func() (*net.TCPConn, uint64) {
		t.Helper()
		conn, n, err := q.accept()
		if err != nil {
			t.Fatal(err)
		}
		return conn, n
	}
	for name, leave := range map[string]func(*net.TCPConn) error{
		"silent": func(*net.TCPConn) error { return nil },
		"data":   func(c *net.TCPConn) error { _, err := c.Write([]byte("for somebody else")); return err },
		"closed": (*net.TCPConn).CloseWrite,
	} {
		accepted, queued := connect(), connect()
		left, number := accept()
		r := reserve(t, p, Request{Client: loopback, Timeout: long})
		for _, client := range []*net.TCPConn{accepted, queued} {
			if err := leave(client); err != nil {
				t.Fatal(err)
			}
		}
		own := connect()
		before := p.Stats().Strangers
		p.arrive(port, left, number, loopback)
		wantDropped(t, accepted)
		left, number = accept()
		p.arrive(port, left, number, loopback)
		wantDropped(t, queued)
		if got := p.Stats().Strangers - before; got != 2 {
			t.Errorf("%s: %d strangers are counted, want 2", name, got)
		}
		conn, number := accept()
		p.arrive(port, conn, number, loopback)
		server, err := r.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantConnected(t, own, server)
	}
}

// A client that leaves a connection behind and asks again at once gets its new one, even on a busy machine.
func TestLeftBehindAtOnce(t *testing.T) {
	t.Parallel()
	p := listen(t, "127.0.0.1", 1)
	for range 500 {
		r := reserve(t, p, Request{Client: loopback, Timeout: long})
		left := dial(t, loopback, r.Port())
		r.Release()
		r = reserve(t, p, Request{Client: loopback, Timeout: long})
		own := dial(t, loopback, r.Port())
		server, err := r.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := server.RemoteAddr().String(), own.LocalAddr().String(); got != want {
			t.Fatalf("the connection of %s was taken, want %s", got, want)
		}
		for _, conn := range []*net.TCPConn{left, own, server} {
			_ = conn.Close()
		}
		r.Release()
	}
}

// A client's own connection is never mistaken for a leftover, even on a busy machine.
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
