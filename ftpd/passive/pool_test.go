package passive

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

func TestListenAllOrNothing(t *testing.T) {
	ports := freePorts(t, 3)
	taken, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(ports[2]))))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // a test's
	_, err = Listen("127.0.0.1", ports, quiet)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), strconv.Itoa(int(ports[2]))) {
		t.Fatalf("error %v, want address in use and port %d", err, ports[2])
	}
	p, err := Listen("127.0.0.1", ports[:2], quiet)
	if err != nil {
		t.Fatalf("the other ports were left bound: %v", err)
	}
	if got := p.Ports(); !got.Equal(ports[:2]) {
		t.Errorf("Ports() = %v, want %v", got, ports[:2])
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Listen("127.0.0.1", nil, quiet); err == nil {
		t.Error("a pool without ports was opened")
	}
}

func TestAcceptBeforeAndAfterTheConnection(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	request := Request{Client: loopback, Timeout: long}

	early := reserve(t, p, request)
	client := dial(t, loopback, early.Port())
	eventually(t, "the connection arrives", func() bool { return p.Stats().Accepted == 1 })
	server, err := early.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, client, server)

	late := reserve(t, p, request)
	type result struct {
		conn *net.TCPConn
		err  error
	}
	got := make(chan result)
	go func() {
		conn, err := late.Accept(t.Context())
		got <- result{conn, err}
	}()
	client = dial(t, loopback, late.Port())
	r := <-got
	if r.err != nil {
		t.Fatal(r.err)
	}
	late.Release() // does not close the connection
	wantConnected(t, client, r.conn)

	for _, r := range []*Reservation{early, late} {
		if _, err := r.Accept(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a second Accept gives %v", err)
		}
	}
	if s, want := p.Stats(), (Stats{Ports: 1, Reserved: 2, Accepted: 2}); s != want {
		t.Errorf("stats %+v, want %+v", s, want)
	}
}

func TestPortIsFreeOnceConnected(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	request := Request{Client: loopback, Timeout: long}
	var clients []*net.TCPConn
	var reservations []*Reservation
	for range 20 { // all from one client on one port, and none accepted by its session yet
		r := reserve(t, p, request)
		reservations = append(reservations, r)
		clients = append(clients, dial(t, loopback, r.Port()))
	}
	for i, r := range reservations {
		server, err := r.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantConnected(t, clients[i], server)
	}
}

func TestStrangerIsDropped(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	client, stranger := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")
	wantDropped(t, dial(t, client, p.Ports()[0])) // nothing is reserved yet
	r := reserve(t, p, Request{Client: client, Timeout: long})
	for range 3 {
		wantDropped(t, dial(t, stranger, r.Port()))
	}
	conn := dial(t, client, r.Port())
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantDropped(t, dial(t, client, r.Port())) // one connection for one reservation
	wantConnected(t, conn, server)
	if s := p.Stats(); s.Strangers != 5 || s.Accepted != 1 {
		t.Errorf("stats %+v, want 5 strangers and 1 accepted", s)
	}
}

func TestClientsShareAPort(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	one, two := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("::ffff:127.0.0.3")
	r1, r2 := reserve(t, p, Request{Client: one, Timeout: long}), reserve(t, p, Request{Client: two, Timeout: long})
	c2, c1 := dial(t, two.Unmap(), r2.Port()), dial(t, one, r1.Port())
	s1, err1 := r1.Accept(t.Context())
	s2, err2 := r2.Accept(t.Context())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	wantConnected(t, c1, s1)
	wantConnected(t, c2, s2)
}

func TestAnyPeerIsAlone(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	client, hidden := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.9.9.9")
	r := reserve(t, p, Request{Client: client, AnyPeer: true, Timeout: long})
	for _, other := range []Request{{Client: hidden}, {Client: client}, {Client: hidden, AnyPeer: true}} {
		other.Timeout = time.Millisecond
		if _, err := p.Reserve(t.Context(), other); !errors.Is(err, ErrExhausted) {
			t.Errorf("%+v: %v, want ErrExhausted", other, err)
		}
	}
	conn := dial(t, hidden, r.Port())
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, conn, server)
	shared := reserve(t, p, Request{Client: client, Timeout: long})
	if _, err := p.Reserve(t.Context(), Request{Client: hidden, AnyPeer: true, Timeout: time.Millisecond}); !errors.Is(err, ErrExhausted) {
		t.Errorf("exclusive beside shared: %v, want ErrExhausted", err)
	}
	shared.Release()
	reserve(t, p, Request{Client: hidden, AnyPeer: true, Timeout: long})
}

func TestDualStack(t *testing.T) {
	p := listen(t, "", 1)
	for _, client := range []netip.Addr{loopback, netip.IPv6Loopback()} {
		r := reserve(t, p, Request{Client: client, Timeout: long})
		conn := dial(t, client, r.Port())
		server, err := r.Accept(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", client, err)
		}
		wantConnected(t, conn, server)
	}
}

func TestReleaseClosesAnUnclaimedConnection(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	r := reserve(t, p, Request{Client: loopback, Timeout: long})
	conn := dial(t, loopback, r.Port())
	eventually(t, "the connection arrives", func() bool { return p.Stats().Accepted == 1 })
	r.Release()
	r.Release()
	wantDropped(t, conn)
	if _, err := r.Accept(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Release gives %v", err)
	}
}

// A connection that came in time waits for Accept without limit. A connection that comes too late is a stranger.
func TestExpiry(t *testing.T) {
	p := listen(t, "127.0.0.1", 1)
	r := reserve(t, p, Request{Client: loopback, Timeout: time.Millisecond})
	if _, err := r.Accept(t.Context()); !errors.Is(err, ErrExpired) {
		t.Fatalf("Accept gives %v, want ErrExpired", err)
	}
	wantDropped(t, dial(t, loopback, r.Port()))
	if s, want := p.Stats(), (Stats{Ports: 1, Reserved: 1, Expired: 1, Strangers: 1}); s != want {
		t.Errorf("stats %+v, want %+v", s, want)
	}
}

// unbound returns a pool that has ports but no listeners, for tests that depend on time alone.
func unbound(n uint16) *Pool { return newPool(config.PortRange(30000, 30000+n-1), quiet) }

func TestTimes(t *testing.T) {
	t.Run("the connection's time begins when Reserve returns", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := unbound(1)
			request := Request{Client: loopback, Timeout: 10 * time.Second}
			first := reserve(t, p, request)
			start := time.Now()
			time.AfterFunc(9*time.Second, first.Release)
			second := reserve(t, p, request)
			if waited := time.Since(start); waited != 9*time.Second {
				t.Errorf("waited %s for the port, want 9s", waited)
			}
			if _, err := second.Accept(t.Context()); !errors.Is(err, ErrExpired) {
				t.Errorf("Accept gives %v", err)
			}
			if waited := time.Since(start); waited != 19*time.Second {
				t.Errorf("expired after %s, want 9s + 10s", waited)
			}
		})
	})
	t.Run("an expired reservation makes room", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := unbound(1)
			reserve(t, p, Request{Client: loopback, Timeout: 3 * time.Second})
			start := time.Now()
			reserve(t, p, Request{Client: loopback, Timeout: 10 * time.Second})
			if waited := time.Since(start); waited != 3*time.Second {
				t.Errorf("waited %s, want 3s", waited)
			}
		})
	})
	t.Run("exhausted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := unbound(2)
			for range 2 {
				reserve(t, p, Request{Client: loopback, Timeout: time.Minute})
			}
			start := time.Now()
			_, err := p.Reserve(t.Context(), Request{Client: loopback, Timeout: 5 * time.Second})
			if waited := time.Since(start); !errors.Is(err, ErrExhausted) || waited != 5*time.Second {
				t.Errorf("%v after %s, want ErrExhausted after 5s", err, waited)
			}
			if s, want := p.Stats(), (Stats{Ports: 2, InUse: 2, Reservations: 2, Reserved: 2, Exhausted: 1}); s != want {
				t.Errorf("stats %+v, want %+v", s, want)
			}
		})
	})
	t.Run("contexts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := unbound(1)
			r := reserve(t, p, Request{Client: loopback, Timeout: time.Minute})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := p.Reserve(ctx, Request{Client: loopback, Timeout: time.Minute}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Reserve gives %v", err)
			}
			if _, err := p.Reserve(ctx, Request{Client: loopback, Timeout: time.Minute}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Reserve with an ended context gives %v", err)
			}
			if _, err := r.Accept(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Accept gives %v", err)
			}
			if s := p.Stats(); s.Waiting != 0 || s.Reservations != 1 {
				t.Errorf("stats %+v, want nobody waiting and 1 reservation", s)
			}
		})
	})
	t.Run("close wakes everybody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := unbound(1)
			r := reserve(t, p, Request{Client: loopback, Timeout: time.Minute})
			errs := make(chan error, 3)
			go func() { _, err := r.Accept(t.Context()); errs <- err }()
			for range 2 {
				go func() {
					_, err := p.Reserve(t.Context(), Request{Client: loopback, Timeout: time.Minute})
					errs <- err
				}()
			}
			synctest.Wait()
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			for range 3 {
				if err := <-errs; !errors.Is(err, net.ErrClosed) {
					t.Errorf("got %v, want net.ErrClosed", err)
				}
			}
			if _, err := p.Reserve(t.Context(), Request{Client: loopback, Timeout: time.Minute}); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Reserve after Close gives %v", err)
			}
		})
	})
	t.Run("release wakes Accept", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := unbound(1)
			r := reserve(t, p, Request{Client: loopback, Timeout: time.Minute})
			time.AfterFunc(time.Second, r.Release)
			if _, err := r.Accept(t.Context()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept gives %v", err)
			}
		})
	})
	t.Run("first come first served", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := unbound(1)
			reserve(t, p, Request{Client: loopback, Timeout: time.Second})
			var mu sync.Mutex
			var order []int
			var all sync.WaitGroup
			for i := range 10 {
				all.Go(func() {
					r, err := p.Reserve(t.Context(), Request{Client: loopback, AnyPeer: i%2 == 0, Timeout: time.Hour})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					order = append(order, i)
					mu.Unlock()
					r.Release()
				})
				synctest.Wait() // each is in the queue before the next
			}
			all.Wait()
			for i, got := range order {
				if i != got {
					t.Fatalf("served in the order %v", order)
				}
			}
		})
	})
}

// failing fails with EMFILE for some time before it accepts.
type failing struct {
	real            func() (*socket.Conn, error)
	failures, calls atomic.Int64
}

func (f *failing) accept() (*socket.Conn, error) {
	f.calls.Add(1)
	if f.failures.Add(-1) >= 0 {
		return nil, os.NewSyscallError("accept4", syscall.EMFILE)
	}
	return f.real()
}

func TestAcceptErrorsPass(t *testing.T) {
	p, port := bound(t)
	f := &failing{real: port.accept}
	f.failures.Store(5)
	port.accept = f.accept
	p.start()
	r := reserve(t, p, Request{Client: loopback, Timeout: long})
	client := dial(t, loopback, port.number)
	server, err := r.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantConnected(t, client, server)
}

func TestAcceptErrorsDoNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{}
		f.failures.Store(1 << 40)
		p := unbound(1)
		port := &port{pool: p, number: 30000, accept: f.accept}
		p.listening[30000] = port
		port.ready()
		<-time.After(time.Minute) // time of the synctest bubble
		if n := f.calls.Load(); n < 50 || n > 70 {
			t.Errorf("%d tries in a minute of failures, want about one a second", n)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}
