package passive

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
)

// listenBehind opens a pool that trusts the loopback network.
func listenBehind(t *testing.T, mode config.ProxyMode, trusted string) *Pool {
	t.Helper()
	policy := proxy.NewPolicy(config.ProxyProtocol{Mode: mode, Trusted: config.Networks(netip.MustParsePrefix(trusted))})
	var err error
	for range 20 { // a port may be taken before it is bound
		var p *Pool
		if p, err = ListenBehind("127.0.0.1", freePorts(t, 1), quiet, func() *proxy.Policy { return policy }); err == nil {
			t.Cleanup(func() { _ = p.Close() })
			return p
		}
	}
	t.Fatal(err)
	return nil
}

// The pool finds the reservation by the address in the header. The connection that Accept returns starts right after
// the header.
func TestBehindProxy(t *testing.T) {
	p := listenBehind(t, config.ProxyRequire, "127.0.0.0/8")
	client := netip.MustParseAddr("192.0.2.1")
	other := reserve(t, p, Request{Client: loopback, Timeout: long}) // the proxy's own address does not count
	r := reserve(t, p, Request{Client: client, Timeout: long})
	stranger := dial(t, loopback, r.Port())
	_, _ = io.WriteString(stranger, "PROXY TCP4 192.0.2.2 203.0.113.10 5 6\r\n")
	wantDropped(t, stranger)
	check := dial(t, loopback, r.Port())
	_, _ = io.WriteString(check, "PROXY UNKNOWN\r\n")
	wantDropped(t, check)
	silent := dial(t, loopback, r.Port()) // this keeps no other connection waiting
	conn := dial(t, loopback, r.Port())
	_, _ = io.WriteString(conn, "PROXY TCP4 192.0.2.1 203.0.113.10 5 6\r\nhello")
	_ = conn.CloseWrite()
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // a test's
	if got, err := io.ReadAll(server); string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_ = silent.Close()
	eventually(t, "the silent one is dropped", func() bool { return p.Stats().Headless == 1 })
	junk := dial(t, loopback, other.Port())
	_, _ = io.WriteString(junk, "these are the bytes of an upload without a header")
	wantDropped(t, junk)
	if s := p.Stats(); s.Accepted != 1 || s.Strangers != 1 || s.Headless != 2 {
		t.Errorf("%+v", s)
	}
}

func TestBehindProxyPolicies(t *testing.T) {
	direct := listenBehind(t, config.ProxyAccept, "10.0.0.0/8")
	r := reserve(t, direct, Request{Client: loopback, Timeout: long})
	conn := dial(t, loopback, r.Port())
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, conn, server)

	closed := listenBehind(t, config.ProxyRequire, "10.0.0.0/8")
	r = reserve(t, closed, Request{Client: loopback, Timeout: long})
	wantDropped(t, dial(t, loopback, r.Port()))
	if s := closed.Stats(); s.Headless != 1 || s.Accepted != 0 {
		t.Errorf("%+v", s)
	}
}

// A pool that is closed waits neither for headers nor for anything else.
func TestCloseBehindProxy(t *testing.T) {
	p := listenBehind(t, config.ProxyRequire, "127.0.0.0/8")
	r := reserve(t, p, Request{Client: loopback, Timeout: long})
	conn := dial(t, loopback, r.Port())
	eventually(t, "the header is awaited", func() bool { return p.headers.Pending() == 1 })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	wantDropped(t, conn)
	if _, err := r.Accept(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}

// A check of a load balancer that resets its connection before anybody has looked at it does no harm.
func TestResetBehindProxy(t *testing.T) {
	p := listenBehind(t, config.ProxyRequire, "127.0.0.0/8")
	for range 20 {
		check := dial(t, loopback, p.Ports()[0])
		_ = check.SetLinger(0)
		_ = check.Close()
	}
	p.drain(p.Ports()[0])
	client := netip.MustParseAddr("192.0.2.1")
	r := reserve(t, p, Request{Client: client, Timeout: long})
	conn := dial(t, loopback, r.Port())
	_, _ = io.WriteString(conn, "PROXY TCP4 192.0.2.1 203.0.113.10 5 6\r\n")
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, conn, server)
}

// A connection whose header is still awaited when the time for connections is over has come in time.
func TestHeaderAfterTheTime(t *testing.T) {
	p := listenBehind(t, config.ProxyRequire, "127.0.0.0/8")
	client := netip.MustParseAddr("192.0.2.1")
	r := reserve(t, p, Request{Client: client, Timeout: long})
	conn := dial(t, loopback, r.Port())
	eventually(t, "the header is awaited", func() bool { p.drain(r.Port()); return p.headers.Pending() == 1 })
	p.mu.Lock()
	r.ends = time.Now() // the time is over
	p.mu.Unlock()
	r.expire()
	if r.Expired() {
		t.Fatal("it is over although a connection has come")
	}
	_, _ = io.WriteString(conn, "PROXY TCP4 192.0.2.1 203.0.113.10 5 6\r\n")
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, conn, server)
}
