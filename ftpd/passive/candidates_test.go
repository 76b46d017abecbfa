package passive

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

// The health checks of a load balancer never take the place of the connection of a client whose address is hidden,
// whenever they come.
func TestHealthChecksTakeNoConnection(t *testing.T) {
	checker, client := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.2") // both are behind one node
	for name, c := range map[string]struct{ before, after int }{
		"before the client's": {before: 1},
		"after it":            {after: 1},
		"before and after it": {before: 2, after: 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := listen(t, "127.0.0.1", 1)
			r := reserve(t, p, Request{Client: netip.MustParseAddr("192.0.2.1"), AnyPeer: true, Timeout: long})
			check := func(n int) {
				for range n {
					conn := dial(t, checker, r.Port())
					if err := conn.Close(); err != nil {
						t.Fatal(err)
					}
				}
			}
			check(c.before)
			conn := dial(t, client, r.Port())
			check(c.after)
			server, err := r.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wantConnected(t, conn, server)
			eventually(t, "the port is free again", func() bool { return p.Stats().InUse == 0 })
		})
	}
}

// A health check that is still open when the transfer begins is told from the client's connection once it closes.
func TestHealthCheckThatIsSlow(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	r := reserve(t, p, Request{Client: loopback, AnyPeer: true, Timeout: long})
	check := dial(t, loopback, r.Port())
	conn := dial(t, loopback, r.Port())
	eventually(t, "both have come", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(r.conns) == 2
	})
	p.mu.Lock()
	if _, undecided := r.choose(); !undecided {
		t.Error("one of two that are open was chosen at once")
	}
	p.mu.Unlock()
	if err := check.Close(); err != nil {
		t.Fatal(err)
	}
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, conn, server)
}

// If a client has closed its connection before the transfer begins, and no other connection comes, it is still the
// client's connection: an upload of an empty file, or one that was sent in advance.
func TestClosedConnectionIsTakenIfNoOtherComes(t *testing.T) {
	for name, content := range map[string]string{"of nothing": "", "sent in advance": "x"} {
		t.Run(name, func(t *testing.T) {
			p := listen(t, "127.0.0.1", 1)
			r := reserve(t, p, Request{Client: loopback, AnyPeer: true, Timeout: long})
			conn := dial(t, loopback, r.Port())
			if _, err := conn.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			server, err := r.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 2)
			if n, _ := server.Read(got); string(got[:n]) != content {
				t.Errorf("read %q, want %q", got[:n], content)
			}
			_ = server.Close()
		})
	}
}

// The port is free for other reservations once a connection has stayed open for a moment. If all connections have
// closed, it is free only when the reservation ends.
func TestPortIsKeptUntilAConnectionIsProven(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	r := reserve(t, p, Request{Client: loopback, AnyPeer: true, Timeout: long})
	if err := dial(t, loopback, r.Port()).Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the check has come", r.Came)
	if _, err := p.Reserve(t.Context(), Request{Client: loopback, AnyPeer: true, Timeout: 2 * proof}); !errors.Is(err, ErrExhausted) {
		t.Fatalf("another reservation of the port: %v", err)
	}
	conn := dial(t, loopback, r.Port())
	next := reserve(t, p, Request{Client: loopback, AnyPeer: true, Timeout: long}) // waits until conn is proven
	other := dial(t, loopback, next.Port())
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, conn, server)
	if server, err = next.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantConnected(t, other, server)
}

// A reservation drops connections beyond MaxCandidates, and closes all of its connections when it ends.
func TestConnectionsOfAReservationAreBounded(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	r := reserve(t, p, Request{Client: loopback, AnyPeer: true, Timeout: long})
	var held []*net.TCPConn
	for range MaxCandidates {
		held = append(held, dial(t, loopback, r.Port()))
	}
	wantDropped(t, dial(t, loopback, r.Port()))
	r.Release()
	for _, conn := range held {
		wantDropped(t, conn)
	}
	if s := p.Stats(); s.InUse != 0 || s.Accepted != 1 || s.Strangers != 1 {
		t.Errorf("stats %+v", s)
	}
}

// A reservation to which only health checks came ends like one to which no connection came: its port is free.
func TestReservationThatOnlyChecksCameTo(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	r := reserve(t, p, Request{Client: loopback, AnyPeer: true, Timeout: 2 * proof})
	if err := dial(t, loopback, r.Port()).Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the port is free again", func() bool { return p.Stats().InUse == 0 })
}

// If another connection is there, Accept waits for the client's connection even if that was not accepted yet when the
// command came.
func TestConnectionInTheQueueIsWaitedFor(t *testing.T) {
	p, port := bound(t)
	r := reserve(t, p, Request{Client: loopback, AnyPeer: true, Timeout: long})
	check := dial(t, loopback, r.Port())
	eventually(t, "the check has come", func() bool { port.drain(); return r.Came() })
	conn := dial(t, loopback, r.Port())
	eventually(t, "the connection is in the queue", func() bool { return port.listener.Queued() == 1 })
	port.drainFor(r)
	p.mu.Lock()
	if chosen, _ := r.choose(); chosen != nil {
		t.Error("a connection was chosen while another was in the queue")
	}
	p.mu.Unlock()
	p.start()
	if err := check.Close(); err != nil {
		t.Fatal(err)
	}
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, conn, server)
}

// A connection is proven by the time that it has stayed open itself, not by that of an earlier one.
func TestEachConnectionIsProvenByItself(t *testing.T) {
	p, port := bound(t)
	r := reserve(t, p, Request{Client: loopback, AnyPeer: true, Timeout: long})
	if err := dial(t, loopback, r.Port()).Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the check has come", func() bool { port.drain(); return r.Came() })
	check := dial(t, loopback, r.Port())
	eventually(t, "another check is in the queue", func() bool { return port.listener.Queued() == 1 })
	r.expire() // as the timer that the first one has set
	if p.Stats().InUse != 1 {
		t.Fatal("the port is free, though nothing has stayed open")
	}
	if err := check.Close(); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, loopback, r.Port())
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, conn, server)
}
