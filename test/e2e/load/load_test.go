package load

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// small is a load on the test's own server, half of it with TLS.
func small(t *testing.T) (Config, *ftptest.Server) {
	a := authority.New(t)
	server := ftptest.Start(t, a.WithTLS())
	return Config{
		Network: ftpclient.Host{}, Address: server.Addr, User: "alice", Password: ftptest.Password,
		TLS: a.Client(), Dir: "load-", Clients: 4, Transfers: 60, PerSession: 5, MaxSize: 100000,
		Slow: 1, SlowSize: 100000, SlowTime: 100 * time.Millisecond,
		RetryAfter: time.Millisecond, Seed: 7,
	}, server
}

func TestLoad(t *testing.T) {
	cfg, server := small(t)
	r := Start(t.Context(), cfg).Wait()
	sum := r.Summary()
	if sum.Transfers != cfg.Transfers || sum.Outcomes[Completed] != cfg.Transfers || sum.Refused != 0 || sum.Bytes == 0 {
		t.Errorf("%v\n%s", sum, r.Failures(5))
	}
	secure, down, epsv, slow := 0, 0, 0, 0
	for _, s := range r.Sessions {
		for i, transfer := range s.Transfers {
			if i == 0 && !transfer.Upload {
				t.Errorf("session %d begins with a download", s.ID)
			}
			secure += one(s.TLS)
			down += one(!transfer.Upload)
			epsv += one(transfer.Mode == ftpclient.EPSV)
			slow += one(s.Client == cfg.Clients)
		}
	}
	for what, n := range map[string]int{"by TLS": secure, "downloads": down, "by EPSV": epsv, "slow": slow} {
		if n == 0 || n == cfg.Transfers {
			t.Errorf("%d of %d transfers are %s", n, cfg.Transfers, what)
		}
	}
	uploads := len(server.Log.Lines("msg=audit", "event=upload", "result=ok"))
	if uploads != cfg.Transfers-down {
		t.Errorf("the server saw %d uploads, the clients %d", uploads, cfg.Transfers-down)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestStop: running transfers are completed.
func TestStop(t *testing.T) {
	cfg, _ := small(t)
	cfg.Transfers, cfg.Pause = 0, time.Millisecond
	l := Start(t.Context(), cfg)
	ftptest.Eventually(t, "some transfers", func() bool { return l.Tried() > 20 })
	r := l.Stop()
	if sum := r.Summary(); sum.Outcomes[Completed] != sum.Transfers || sum.Transfers < 20 {
		t.Errorf("%v\n%s", sum, r.Failures(5))
	}
}

// TestBrokenOff: transfers that the load itself cancelled do not count as failures.
func TestBrokenOff(t *testing.T) {
	cfg, _ := small(t)
	cfg.Transfers, cfg.Slow, cfg.SlowTime = 0, 4, time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	l := Start(ctx, cfg)
	ftptest.Eventually(t, "some transfers", func() bool { return l.Tried() > 20 })
	cancel()
	r := l.Wait()
	if sum := r.Summary(); sum.Outcomes[Completed] != sum.Transfers || sum.Refused != 0 {
		t.Errorf("%v\n%s", sum, r.Failures(5))
	}
}

// faulty is a network in which every tenth connection has a fault.
type faulty struct {
	ftpclient.Network
	control string
	made    atomic.Int64
	// refuse is the error of a control connection, misplace returns the address that a data connection really goes
	// to, and spoil changes a data connection.
	refuse   error
	misplace func(address string) string
	spoil    func(net.Conn) net.Conn
}

func (f *faulty) Dial(ctx context.Context, address string) (net.Conn, error) {
	if (address == f.control) != (f.refuse != nil) || f.made.Add(1)%10 != 0 {
		return f.Network.Dial(ctx, address)
	}
	if f.refuse != nil {
		return nil, f.refuse
	}
	if f.misplace != nil {
		address = f.misplace(address)
	}
	conn, err := f.Network.Dial(ctx, address)
	if err == nil && f.spoil != nil {
		conn = f.spoil(conn)
	}
	return conn, err
}

// spoiled is a data connection that inverts bytes, or that ends after some of them.
type spoiled struct {
	*net.TCPConn
	end bool
}

func (s spoiled) Read(p []byte) (int, error) {
	n, err := s.TCPConn.Read(p)
	return s.spoil(p, n, err)
}

func (s spoiled) Write(p []byte) (int, error) {
	n, err := s.TCPConn.Write(p)
	return s.spoil(nil, n, err)
}

func (s spoiled) spoil(p []byte, n int, err error) (int, error) {
	if s.end {
		_ = s.SetLinger(0)
		_ = s.TCPConn.Close()
		return 0, syscall.ECONNRESET
	}
	for i := range p[:min(n, len(p))] {
		p[i] ^= 0xff
	}
	return n, err
}

// TestFaults: each fault is counted with its own outcome, and all other transfers complete.
func TestFaults(t *testing.T) {
	// Misplaced data connections go to this server, on which no client waits for one.
	other := ftptest.Start(t)
	stray := ftptest.Login(t, other.Addr, "alice").EpsvAddr()
	for name, c := range map[string]struct {
		fault *faulty
		want  Outcome
	}{
		"no such port":    {&faulty{misplace: func(string) string { return "127.0.0.1:1" }}, Misrouted},
		"another's port":  {&faulty{misplace: func(string) string { return stray }}, Misrouted},
		"reset":           {&faulty{spoil: func(c net.Conn) net.Conn { return spoiled{c.(*net.TCPConn), true} }}, Cut},
		"changed bytes":   {&faulty{spoil: func(c net.Conn) net.Conn { return spoiled{c.(*net.TCPConn), false} }}, Wrong},
		"refused session": {&faulty{refuse: errors.New("refused")}, Completed},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := small(t)
			c.fault.Network, c.fault.control = cfg.Network, cfg.Address
			// With TLS the client itself would notice the fault.
			cfg.Network, cfg.Slow, cfg.TLS = c.fault, 0, nil
			cfg.Unreachable = func(_ context.Context, address string) string { return "known of " + address }
			if c.want == Misrouted {
				cfg.Patience = 2 * time.Second // the server waits for each of them in vain
			}
			r := Start(t.Context(), cfg).Wait()
			sum := r.Summary()
			if c.fault.refuse != nil {
				if sum.Refused == 0 || sum.LongestRefusal < cfg.RetryAfter || sum.Outcomes[Completed] != cfg.Transfers {
					t.Errorf("%v", sum)
				}
				return
			}
			if n := sum.Outcomes[c.want]; n == 0 || n+sum.Outcomes[Completed] != cfg.Transfers {
				t.Errorf("%v\n%s", sum, r.Failures(5))
			}
			if text := r.Failures(1); name == "no such port" && !strings.Contains(text, "(its session is alive); known of 127.0.0.1:") {
				t.Errorf("the report: %s", text)
			}
			if text := sum.String() + r.Failures(3); !strings.Contains(text, string(c.want)) || strings.Count(text, "\n") > 3 {
				t.Errorf("the report: %s", text)
			}
		})
	}
}

// TestRefusedTwice: a server that does not exist is counted differently from one that refuses once.
func TestRefusedTwice(t *testing.T) {
	cfg, _ := small(t)
	cfg.Address = "127.0.0.1:1"
	fault := &faulty{Network: cfg.Network, control: cfg.Address, refuse: errors.New("refused")}
	cfg.Network, cfg.Clients, cfg.Slow = fault, 1, 0
	ctx, cancel := context.WithCancel(t.Context())
	l := Start(ctx, cfg)
	ftptest.Eventually(t, "several tries", func() bool { return fault.made.Load() > 20 })
	cancel()
	if sum := l.Wait().Summary(); sum.Refused != 1 || sum.RefusedAgain != 1 || sum.Transfers != 0 {
		t.Errorf("%v", sum)
	}
}

func TestContent(t *testing.T) {
	a := content(1, "a", 100)
	if !bytes.Equal(a, content(1, "a", 100)) {
		t.Error("not the same twice")
	}
	if bytes.Equal(a, content(2, "a", 100)) || bytes.Equal(a, content(1, "b", 100)) {
		t.Error("the same for another seed or name")
	}
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // to be foreseen
	for range 1000 {
		if n := size(chance, 5000); n < 0 || n > 5000 {
			t.Fatalf("size %d", n)
		}
	}
}
