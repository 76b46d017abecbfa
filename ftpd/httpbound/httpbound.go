// Package httpbound bounds the connections of an HTTP server without locking anybody out: when there are
// too many, the newest takes the place of another.
//
// The one that gives way is of the address that has the most of them. Of these it is one that waits for its next
// request, else one whose request has not come yet, else one that is being answered; the oldest each time.
// So a crowd from one address drives out itself, and a probe, which asks at once and closes, is answered.
package httpbound

import (
	"net"
	"net/http"
	"sync"
)

// Listener bounds the connections that a listener has accepted and that are still open.
type Listener struct {
	net.Listener
	most int

	mu    sync.Mutex
	conns map[*conn]struct{}
	age   uint64
}

// conn is a connection that counts.
type conn struct {
	net.Conn
	of    *Listener
	host  string
	age   uint64
	state http.ConnState
}

// Listen returns a listener with at most so many connections at a time, at least one.
func Listen(l net.Listener, most int) *Listener {
	return &Listener{Listener: l, most: max(most, 1), conns: map[*conn]struct{}{}}
}

// Accept returns the next connection. If there are too many then, it closes another one.
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

// State notes what a connection does, for http.Server.ConnState.
func (l *Listener) State(of net.Conn, state http.ConnState) {
	c, ok := of.(*conn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c.state = state
}

// rank is in which order connections give way: the lowest first.
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

// victim is the connection that gives way. Called with mu, and with at least one connection.
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

// before reports whether a gives way before b.
func before(a, b *conn, crowds map[string]int) bool {
	if m, n := crowds[a.host], crowds[b.host]; m != n {
		return m > n
	}
	if m, n := rank(a.state), rank(b.state); m != n {
		return m < n
	}
	return a.age < b.age
}

// Close closes the connection, and counts it no more.
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// hostOf is the address without the port; all of a Unix socket are one.
func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return host
}
