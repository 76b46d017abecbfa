package passive

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// model implements the rules of the ledger in the plainest form: with lists that are searched from the front.
type model struct {
	ports []uint16 // ordered by last use, oldest first
	held  []*hold
	port  map[*hold]uint16
	queue []*hold // ordered by arrival
}

func (m *model) suits(h *hold, port uint16) bool {
	for _, other := range m.held {
		if m.port[other] == port && (h.exclusive || other.exclusive || h.client == other.client) {
			return false
		}
	}
	return true
}

func (m *model) competes(a, b *hold) bool { return a.exclusive || b.exclusive || a.client == b.client }

// serve grants, from the front, each request that has no earlier competitor and finds a port. It returns those it
// granted.
func (m *model) serve() []*hold {
	var granted, left []*hold
	for _, h := range m.queue {
		behind := slices.ContainsFunc(left, func(earlier *hold) bool { return m.competes(earlier, h) })
		if i := slices.IndexFunc(m.ports, func(port uint16) bool { return m.suits(h, port) }); !behind && i >= 0 {
			m.held = append(m.held, h)
			m.port[h] = m.ports[i]
			m.touch(m.ports[i])
			granted = append(granted, h)
			continue
		}
		left = append(left, h)
	}
	m.queue = left
	return granted
}

func (m *model) touch(port uint16) {
	i := slices.Index(m.ports, port)
	m.ports = append(slices.Delete(m.ports, i, i+1), port)
}

func (m *model) end(h *hold) []*hold {
	if i := slices.Index(m.held, h); i >= 0 {
		m.held = slices.Delete(m.held, i, i+1)
		m.touch(m.port[h])
	}
	if i := slices.Index(m.queue, h); i >= 0 {
		m.queue = slices.Delete(m.queue, i, i+1)
	}
	return m.serve()
}

// The ledger does what the model does, for any order of requests and ends. If one step grants ports to several
// clients, their order decides which port each of them gets, and that order is free. So the model checks that the
// ledger's choice is allowed, and adopts it.
func TestLedgerAgainstModel(t *testing.T) {
	clients := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")}
	rapid.Check(t, func(t *rapid.T) {
		ports := config.PortRange(30000, 30000+rapid.Uint16Range(0, 3).Draw(t, "more ports"))
		l := newLedger(ports)
		m := &model{ports: slices.Clone(ports), port: make(map[*hold]uint16)}
		var all []*hold
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			if len(all) == 0 || rapid.IntRange(0, 2).Draw(t, "step") > 0 {
				h := &hold{
					client:    rapid.SampledFrom(clients).Draw(t, "client"),
					exclusive: rapid.IntRange(0, 3).Draw(t, "kind") == 0,
				}
				all = append(all, h)
				m.queue = append(m.queue, h)
				want := len(m.serve()) == 1
				if got := l.request(h); got != want {
					t.Fatalf("request granted: %v, the model says %v", got, want)
				}
				if want && h.slot.port != m.port[h] {
					t.Fatalf("granted port %d, the least recently used that suits is %d", h.slot.port, m.port[h])
				}
			} else {
				h := rapid.SampledFrom(all).Draw(t, "end")
				got, want := l.end(h), m.end(h)
				if !sameHolds(got, want) {
					t.Fatalf("%d were granted, the model says %d or others", len(got), len(want))
				}
				for i, h := range got {
					m.port[h] = h.slot.port
					for _, other := range got[:i] {
						if h.slot == other.slot && m.competes(h, other) {
							t.Fatalf("port %d was granted to two that compete", h.slot.port)
						}
					}
				}
				if len(got) > 1 {
					m.ports = l.order()
				}
			}
			check(t, l, m, clients)
		}
		for _, h := range all {
			l.end(h)
			l.end(h) // a second end does nothing
		}
		if l.holds() != 0 || l.waiting != 0 || len(l.queues) != 0 || l.anyQueue.head != nil || l.free != len(ports) || l.exclusive != 0 {
			t.Fatalf("something is left after all have ended: %+v", l)
		}
	})
}

func check(t *rapid.T, l *ledger, m *model, clients []netip.Addr) {
	if l.waiting != len(m.queue) || l.holds() != len(m.held) {
		t.Fatalf("%d wait and %d hold, the model says %d and %d", l.waiting, l.holds(), len(m.queue), len(m.held))
	}
	if order := l.order(); !slices.Equal(order, m.ports) {
		t.Fatalf("ports by last use are %v, the model says %v", order, m.ports)
	}
	for _, port := range m.ports {
		for _, client := range clients {
			var want *hold
			for _, h := range m.held {
				if m.port[h] == port && (h.exclusive || h.client == client) {
					if want != nil {
						t.Fatalf("two holds of port %d compete", port)
					}
					want = h
				}
			}
			if got := l.find(port, client); got != want {
				t.Fatalf("find(%d, %s) is wrong", port, client)
			}
		}
	}
}

// order returns the ports ordered by last use, oldest first.
func (l *ledger) order() []uint16 {
	var ports []uint16
	for i, s := 0, l.oldest; i < len(l.ports); i, s = i+1, s.next {
		ports = append(ports, s.port)
	}
	return ports
}

func sameHolds(a, b []*hold) bool {
	if len(a) != len(b) {
		return false
	}
	for _, h := range a {
		if !slices.Contains(b, h) {
			return false
		}
	}
	return true
}

// A client that fills every port and floods the queue keeps no other client waiting.
func TestLedgerFloodHurtsOnlyItself(t *testing.T) {
	l := newLedger(config.PortRange(30000, 30009))
	greedy, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range 1000 {
		if granted := l.request(&hold{client: greedy}); granted != (i < 10) {
			t.Fatalf("request %d granted: %v", i, granted)
		}
	}
	if !l.request(&hold{client: other}) {
		t.Error("another client must wait")
	}
}

func BenchmarkLedger(b *testing.B) {
	for _, n := range []uint16{10, 1000} {
		b.Run(fmt.Sprint(n, " ports"), func(b *testing.B) {
			l := newLedger(config.PortRange(30000, 30000+n-1))
			h := &hold{client: netip.MustParseAddr("192.0.2.1")}
			b.ReportAllocs()
			for b.Loop() {
				if !l.request(h) || l.find(h.slot.port, h.client) != h {
					b.Fatal("no port")
				}
				l.end(h)
			}
		})
	}
}
