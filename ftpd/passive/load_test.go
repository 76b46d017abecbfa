package passive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// A thousand sessions of fifty clients share ten ports at once. Strangers connect in between, and some sessions give
// up. Every session that goes on gets its own client's connection.
func TestThousandSessionsOnTenPorts(t *testing.T) {
	const clients, sessionsEach = 50, 20
	p := listen(t, "127.0.0.1", 10)
	var sessions sync.WaitGroup
	for c := range clients {
		client := netip.AddrFrom4([4]byte{127, 1, byte(c), 1})
		for s := range sessionsEach {
			sessions.Go(func() {
				if err := session(t, p, client, uint32(c*sessionsEach+s)); err != nil { //nolint:gosec // small
					t.Errorf("client %s, session %d: %v", client, s, err)
				}
			})
		}
	}
	sessions.Wait()
	s := p.Stats()
	t.Logf("%+v", s)
	if s.Reservations != 0 || s.Waiting != 0 {
		t.Errorf("left behind: %+v", s)
	}
	if s.Accepted != clients*sessionsEach || s.Reserved < s.Accepted || s.Expired != 0 || s.Exhausted != 0 {
		t.Errorf("stats %+v: want %d accepted, none expired or exhausted", s, clients*sessionsEach)
	}
}

// session runs one session: perhaps a reservation that it gives up, perhaps a stranger, and then a connection on
// which the client names the session.
func session(t *testing.T, p *Pool, client netip.Addr, id uint32) error {
	request := Request{Client: client, Timeout: long}
	if rand.IntN(4) == 0 {
		r, err := p.Reserve(t.Context(), request)
		if err != nil {
			return err
		}
		r.Release()
	}
	r, err := p.Reserve(t.Context(), request)
	if err != nil {
		return err
	}
	defer r.Release()

	errs := make(chan error, 1)
	go func() {
		err := connect(client, r.Port(), id)
		if err != nil {
			r.Release() // no connection will come
		}
		errs <- err
	}()
	conn, err := r.Accept(t.Context())
	if err != nil {
		return errors.Join(err, <-errs)
	}
	var got uint32
	err = binary.Read(conn, binary.BigEndian, &got)
	_ = conn.Close() // the client waits for the end
	if err != nil {
		return fmt.Errorf("read the session's number: %w", err)
	}
	if got != id {
		return fmt.Errorf("got the connection of session %d", got)
	}
	return <-errs
}

func connect(client netip.Addr, port uint16, id uint32) error {
	to := netip.AddrPortFrom(loopback, port)
	if rand.IntN(4) == 0 {
		stranger, err := dialFrom(netip.AddrFrom4([4]byte{127, 200, byte(rand.IntN(256)), 1}), to)
		if err != nil {
			return err
		}
		defer stranger.Close() //nolint:errcheck // a test's
	}
	conn, err := dialFrom(client, to)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // a test's
	if err := binary.Write(conn, binary.BigEndian, id); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}

func BenchmarkReserveRelease(b *testing.B) {
	for _, anyPeer := range []bool{false, true} {
		b.Run(fmt.Sprintf("anyPeer=%v", anyPeer), func(b *testing.B) {
			p := unbound(10)
			b.ReportAllocs()
			for b.Loop() {
				r, err := p.Reserve(b.Context(), Request{Client: loopback, AnyPeer: anyPeer, Timeout: long})
				if err != nil {
					b.Fatal(err)
				}
				r.Release()
			}
		})
	}
}

func BenchmarkReserveReleaseParallel(b *testing.B) {
	p := unbound(10)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		client := netip.AddrFrom4([4]byte{127, byte(rand.IntN(256)), byte(rand.IntN(256)), 1})
		for pb.Next() {
			r, err := p.Reserve(b.Context(), Request{Client: client, Timeout: long})
			if err != nil {
				b.Fatal(err)
			}
			r.Release()
		}
	})
}

// This measures Reserve, the client's connect, Accept, and closing both ends; for comparison, also the same without
// the pool.
func BenchmarkConnection(b *testing.B) {
	b.Run("pool", func(b *testing.B) {
		p := listen(b, "127.0.0.1", 10)
		b.ReportAllocs()
		for b.Loop() {
			r, err := p.Reserve(b.Context(), Request{Client: loopback, Timeout: long})
			if err != nil {
				b.Fatal(err)
			}
			client, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(netip.AddrPortFrom(loopback, r.Port())))
			if err != nil {
				b.Fatal(err)
			}
			server, err := r.Accept(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			r.Release()
			closeBoth(client, server)
		}
	})
	b.Run("listen each time", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
			if err != nil {
				b.Fatal(err)
			}
			client, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
			if err != nil {
				b.Fatal(err)
			}
			server, err := l.AcceptTCP()
			if err != nil {
				b.Fatal(err)
			}
			_ = l.Close()
			closeBoth(client, server)
		}
	})
}

func closeBoth(a, b *net.TCPConn) {
	_ = a.SetLinger(0) // avoids TIME_WAIT: a benchmark would run out of ports
	_ = a.Close()
	_ = b.Close()
}
