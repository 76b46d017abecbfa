// Package httpbound bounds the number of connections of an HTTP server without locking out any client: when there are
// too many connections, the newest takes the place of another one. Start reading at Listen. The package imports
// nothing else of this module.
//
// The connection that gives way belongs to the address with the most connections. Of these, it is one that waits for
// its next request; if there is none, one whose first request has not come yet; and otherwise one that is being
// answered. Of several, the oldest gives way. So a crowd from one address drives out only its own connections, and a
// probe, which sends its request at once and closes, is answered.
package httpbound

import (
	"net"
	"net/http"
	"sync"
)

// Listener bounds the number of open connections that a net.Listener has accepted.
type Listener struct {
	net.Listener
	most int

	mu    sync.Mutex
	conns map[*conn]struct{}
	age   uint64
}

// conn is a connection that is counted.
type conn struct {
	net.Conn
	of    *Listener
	host  string
	age   uint64
	state http.ConnState
}

// Listen returns a Listener for l that keeps no more connections open than most, but at least one.
func Listen(l net.Listener, most int) *Listener {
	return &Listener{Listener: l, most: max(most, 1), conns: map[*conn]struct{}{}}
}

// Accept returns the next connection. If there are then too many, it closes another one.
func (l *Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted, of: l, state: http.StateNew}
	c.host = hostOf(accepted.RemoteAddr())
	l.mu.Lock()
	l.age++
	c.age = l.age
	var victim *conn
	if len(l.conns) >= l.most {
		victim = l.victim()
		delete(l.conns, victim)
	}
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	if victim != nil {
		_ = victim.Conn.Close()
	}
	return c, nil
}

// State notes the state of a connection. Set it as http.Server.ConnState.
func (l *Listener) State(of net.Conn, state http.ConnState) {
	c, ok := of.(*conn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c.state = state
}

// rank returns the place of a state in the order in which connections give way, the lowest first.
func rank(s http.ConnState) int {
	switch s {
	case http.StateIdle:
		return 0
	case http.StateNew:
		return 1
	default:
		return 2
	}
}

// victim returns the connection that gives way. The caller holds mu, and there is at least one connection.
func (l *Listener) victim() *conn {
	crowds := map[string]int{}
	for c := range l.conns {
		crowds[c.host]++
	}
	var worst *conn
	for c := range l.conns {
		if worst == nil || before(c, worst, crowds) {
			worst = c
		}
	}
	return worst
}

// before reports whether a gives way before b. crowds is the number of connections of each host.
func before(a, b *conn, crowds map[string]int) bool {
	if m, n := crowds[a.host], crowds[b.host]; m != n {
		return m > n
	}
	if m, n := rank(a.state), rank(b.state); m != n {
		return m < n
	}
	return a.age < b.age
}

// Close closes the connection and stops counting it.
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// hostOf returns an address without its port. All connections of a Unix socket have the same result.
func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return host
}
