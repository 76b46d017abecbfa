package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestProbesEachPort(t *testing.T) {
	service := func(policy corev1.ServiceExternalTrafficPolicy, annotations map[string]string) *corev1.Service {
		s := &corev1.Service{}
		s.Annotations, s.Spec.ExternalTrafficPolicy = annotations, policy
		return s
	}
	for name, c := range map[string]struct {
		service *corev1.Service
		each    bool
		how     probing
	}{
		"another's":   {service("Cluster", map[string]string{"metallb.io/x": "y"}), false, probing{5 * time.Second, 2}},
		"Azure's":     {service("Cluster", map[string]string{azurePrefix + "load-balancer-internal": "false"}), true, probing{5 * time.Second, 2}},
		"with policy": {service("Local", map[string]string{azurePrefix + "load-balancer-internal": "false"}), false, probing{5 * time.Second, 2}},
		"its times":   {service("Cluster", map[string]string{azureProbeInterval: "60", azureProbeThreshold: "3"}), true, probing{time.Minute, 3}},
		"nonsense":    {service("Cluster", map[string]string{azureProbeInterval: "-1", azureProbeThreshold: "x"}), true, probing{5 * time.Second, 2}},
	} {
		if how, each := probesEachPort(c.service); how != c.how || each != c.each {
			t.Errorf("%s: %v, %v", name, how, each)
		}
	}
}

func TestHealth(t *testing.T) {
	var h health
	for i, c := range []struct{ answered, up bool }{
		{true, false}, {false, false}, {true, false}, {true, true}, // two in a row
		{false, true}, {true, true}, {false, true}, {false, false},
	} {
		if h = h.after(c.answered, 2); h.up != c.up {
			t.Errorf("probe %d: %+v", i, h)
		}
	}
}

// Each target is probed at its interval, with another one from the next probe on, and no more once it is left out.
func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := newProbes()
		var asked, listening atomic.Int64
		p.dial = func(context.Context, string) error {
			asked.Add(1)
			if listening.Load() == 0 {
				return errors.New("refused")
			}
			return nil
		}
		one := target{netip.MustParseAddr("10.89.0.1"), 30000, "10.88.0.11:30000"}
		p.follow(ctx, map[target]probing{one: {5 * time.Second, 2}})
		time.Sleep(time.Minute + time.Second)
		if asked.Load() != 13 || p.health(one).up {
			t.Errorf("%d probes in a minute, %+v", asked.Load(), p.health(one))
		}
		listening.Store(1)
		time.Sleep(5 * time.Second)
		if h := p.health(one); h.up || h.other != 1 {
			t.Errorf("after one answer: %+v", h)
		}
		time.Sleep(5 * time.Second)
		if !p.health(one).up {
			t.Error("after two answers it is not up")
		}
		p.follow(ctx, map[target]probing{one: {time.Minute, 2}})
		time.Sleep(5 * time.Second) // the pause that had begun
		before := asked.Load()
		time.Sleep(time.Minute)
		if n := asked.Load() - before; n != 1 {
			t.Errorf("%d probes a minute, want 1", n)
		}
		p.follow(ctx, nil)
		p.ended.Wait()
		if p.health(one).up {
			t.Error("what is no longer probed is up")
		}
		cancel()
	})
}

func TestPortTargets(t *testing.T) {
	service := &corev1.Service{}
	service.Spec.Ports = []corev1.ServicePort{
		{Port: 21, NodePort: 31021, Protocol: corev1.ProtocolTCP},
		{Port: 22, Protocol: corev1.ProtocolTCP}, // without a node port there is nothing to probe
	}
	address := netip.MustParseAddr("10.89.0.1")
	got := portTargets(service, address, []string{"10.88.0.11", "10.88.0.12"})
	if want := []target{{address, 21, "10.88.0.11:31021"}, {address, 21, "10.88.0.12:31021"}}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestTables(t *testing.T) {
	both := []string{"10.88.0.11", "10.88.0.12"}
	tables := tables{18800}
	for want, some := range map[int][]string{18800: nil, 18801: both[:1], 18802: both[1:], 18803: both} {
		if got := tables.of(both, some); got != want {
			t.Errorf("table of %v: %d, want %d", some, got, want)
		}
	}
	want := []string{
		"route replace unreachable default table 18800",
		"route replace default table 18801 nexthop via 10.88.0.11",
		"route replace default table 18802 nexthop via 10.88.0.12",
		"route replace default table 18803 nexthop via 10.88.0.11 nexthop via 10.88.0.12",
	}
	if got := tables.fill(both); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	address := netip.MustParseAddr("10.89.0.1")
	are := map[rule]bool{{address, 21, 18801}: true, {address, 30000, 18803}: true}
	wanted := map[rule]bool{{address, 21, 18803}: true, {address, 30000, 18803}: true}
	want = []string{
		"rule add priority 18800 to 10.89.0.1 ipproto tcp dport 21 lookup 18803",
		"rule del priority 18800 to 10.89.0.1 ipproto tcp dport 21 lookup 18801",
	}
	if got := tables.changes(are, wanted); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A port is led to nodes whose probes have succeeded, and as before while any of them is changing.
func TestPortRules(t *testing.T) {
	address := netip.MustParseAddr("10.89.0.1")
	nodes := []string{"10.88.0.11", "10.88.0.12"}
	at := func(i int) target { return target{address, 21, nodes[i] + ":31021"} }
	r := &router{tables: tables{18800}, rules: map[rule]bool{}, probes: newProbes()}
	for i, c := range []struct {
		first, second health
		table         int // 0: no rule
	}{
		{health{}, health{}, 0},
		{health{up: true}, health{other: 1}, 0},
		{health{up: true}, health{up: true}, 18803},
		{health{up: true}, health{up: true, other: 1}, 18803},
		{health{up: true}, health{}, 18801},
		{health{up: true, other: 1}, health{}, 18801},
		{health{}, health{}, 0},
	} {
		r.probes.running = map[target]*probe{at(0): {health: c.first}, at(1): {health: c.second}}
		r.rules = r.portRules(address, nodes, []target{at(0), at(1)})
		if len(r.rules) > 1 || r.rules[rule{address, 21, c.table}] != (c.table != 0) {
			t.Errorf("%d: %v", i, r.rules)
		}
	}
}
