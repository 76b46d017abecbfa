package soak

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// meddle does to the daemon, until the soak ends, what administrators do: it writes new configurations, good and bad,
// and new certificates, reads the status, and ends sessions of the victim.
func (s *soak) meddle(ctx context.Context, chance *rand.Rand) {
	d := s.daemon
	things := []func() error{
		func() error {
			return d.configure(func(c *config.Config) { c.Greeting = fmt.Sprintf("Soaking %d", chance.IntN(1000)) })
		},
		func() error {
			return d.configure(func(c *config.Config) {
				c.Limits.Bandwidth.Session = config.Rates{}
				if chance.IntN(2) == 0 {
					c.Limits.Bandwidth.Session = config.Rates{Up: 20 << 20, Down: 20 << 20}
				}
			})
		},
		func() error {
			return d.configure(func(c *config.Config) {
				c.TLS.SessionReuse = []config.SessionReuse{config.SessionReusePrefer, config.SessionReuseRequire}[chance.IntN(2)]
			})
		},
		func() error {
			return errors.Join(d.write([]byte("listen: [nowhere")), d.process.Signal(syscall.SIGHUP))
		},
		func() error { return d.process.Signal(syscall.SIGHUP) },
		func() error {
			_ = d.certificate()
			return nil
		},
		func() error {
			_, err := d.scrape(ctx)
			return err
		},
		func() error { return s.kick(ctx, chance) },
		func() error { return s.kick(ctx, chance) },
	}
	for !s.over() {
		if err := things[chance.IntN(len(things))](); err != nil && ctx.Err() == nil {
			s.fail("meddling: %w", err)
		}
		s.count("meddling")
		pause(ctx, s.ending, time.Duration(chance.Int64N(int64(time.Second))))
	}
	if err := d.configure(func(*config.Config) {}); err != nil { // end with a good one
		s.fail("meddling: %w", err)
	}
}

// kick ends a session of the victim.
func (s *soak) kick(ctx context.Context, chance *rand.Rand) error {
	sessions, err := s.daemon.sessions(ctx)
	if err != nil {
		return err
	}
	var victims []uint64
	for _, i := range sessions {
		if i.User == victim {
			victims = append(victims, i.ID)
		}
	}
	if len(victims) == 0 {
		return nil
	}
	return s.daemon.ask(ctx, "DELETE", fmt.Sprintf("/v1/sessions/%d", victims[chance.IntN(len(victims))]), nil)
}

// intrude connects, until the soak ends, as unwanted clients do: strangers connect to passive ports, and clients on
// control ports send nonsense, guess passwords or disconnect.
func (s *soak) intrude(ctx context.Context, chance *rand.Rand) {
	d := s.daemon
	for !s.over() {
		source := netip.AddrFrom4([4]byte{127, 0, 9, byte(1 + chance.IntN(200))})
		network := ftpclient.Host{Source: source}
		addresses := []string{d.control, d.implicit, d.control}
		for _, p := range d.config.Passive.Ports {
			addresses = append(addresses, net.JoinHostPort(host, fmt.Sprint(p)))
		}
		conn, err := network.Dial(ctx, addresses[chance.IntN(len(addresses))])
		if err != nil {
			if ctx.Err() == nil {
				s.fail("a stranger from %s: %w", source, err)
			}
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		switch chance.IntN(5) {
		case 0:
			garbage := make([]byte, chance.IntN(2000))
			for i := range garbage {
				garbage[i] = byte(chance.IntN(256))
			}
			_, _ = conn.Write(garbage)
		case 1:
			_, _ = conn.Write([]byte("USER " + ordinary + "\r\nPASS wrong\r\nSYST\r\nNOO"))
		case 2:
			_, _ = conn.Write([]byte("AUTH TLS\r\n"))
			_ = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx) //nolint:gosec // it is no friend
		case 3:
			reset(conn.(*net.TCPConn))
		}
		pause(ctx, s.ending, time.Duration(chance.Int64N(int64(300*time.Millisecond))))
		_ = conn.Close()
		s.count("intruding")
	}
}
