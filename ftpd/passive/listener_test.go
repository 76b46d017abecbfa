package passive

import (
	"net"
	"net/netip"
	"sync"
	"testing"
)

// bound returns a pool with one port whose connections stay in the kernel's queue until the test needs them.
func bound(t *testing.T) (*Pool, *port) {
	t.Helper()
	var err error
	for range 20 { // a port may be taken before it is bound
		p := newPool(freePorts(t, 1), quiet)
		p.alarms.ring = func() {} // the test says when the time is over
		if err = p.listen("127.0.0.1"); err == nil {
			t.Cleanup(func() { _ = p.Close() })
			return p, p.listening[p.ports[0]]
		}
		_ = p.closeSockets()
	}
	t.Fatal(err)
	return nil, nil
}

// A connection that was made before the port was reserved, such as one that a client's earlier session has left
// behind, does not count, whatever it has sent. Accept waits for the client's own connection.
func TestLeftoverConnection(t *testing.T) {
	t.Parallel()
	p, port := bound(t)
	connect := func(queued int) *net.TCPConn {
		t.Helper()
		client := dial(t, loopback, port.number)
		eventually(t, "the connection is made", func() bool { return port.listener.Queued() == queued })
		return client
	}
	for name, leave := range map[string]func(*net.TCPConn) error{
		"silent": func(*net.TCPConn) error { return nil },
		"data":   func(c *net.TCPConn) error { _, err := c.Write([]byte("for somebody else")); return err },
		"closed": (*net.TCPConn).CloseWrite,
	} {
		left := []*net.TCPConn{connect(1), connect(2)}
		for _, client := range left {
			if err := leave(client); err != nil {
				t.Fatal(err)
			}
		}
		before := p.Stats().Strangers
		r := reserve(t, p, Request{Client: loopback, Timeout: long})
		for _, client := range left {
			wantDropped(t, client)
		}
		if got := p.Stats().Strangers - before; got != 2 {
			t.Errorf("%s: %d strangers are counted, want 2", name, got)
		}
		own := connect(1)
		server, err := r.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantConnected(t, own, server)
	}
}

// A connection that was made before the port was reserved is not the client's either if accept works again only later.
func TestLeftoverOfAFailure(t *testing.T) {
	t.Parallel()
	p, port := bound(t)
	left := dial(t, loopback, port.number)
	eventually(t, "the connection is made", func() bool { return port.listener.Queued() == 1 })
	f := &failing{real: port.accept}
	f.failures.Store(1)
	port.accept = f.accept
	r := reserve(t, p, Request{Client: loopback, Timeout: long})
	own := dial(t, loopback, port.number)
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, own, server)
	wantDropped(t, left)
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
