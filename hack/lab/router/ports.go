package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A Service with an annotation of Azure's is led as an Azure Load Balancer does it: each port by itself, to the
// nodes whose node port for it has answered a TCP probe, and nowhere while none has. A port comes up after so many
// answers in a row, and goes down after as many failures. The annotations that say how are cloud-provider-azure's.
const (
	azurePrefix         = "service.beta.kubernetes.io/azure-"
	azureProbeInterval  = azurePrefix + "load-balancer-health-probe-interval" // seconds
	azureProbeThreshold = azurePrefix + "load-balancer-health-probe-num-of-probe"
	// Azure's own defaults.
	probeInterval  = 5 * time.Second
	probeThreshold = 2
)

// probing is how the ports of a Service are probed.
type probing struct {
	interval  time.Duration
	threshold int
}

// probesEachPort tells whether, and how, the Service's load balancer probes each port. With policy Local Azure's
// probes ask the health check node port instead, which the router does for all Services.
func probesEachPort(service *corev1.Service) (p probing, each bool) {
	p = probing{probeInterval, probeThreshold}
	for key := range service.Annotations {
		each = each || strings.HasPrefix(key, azurePrefix)
	}
	each = each && service.Spec.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyLocal
	if n, err := strconv.Atoi(service.Annotations[azureProbeInterval]); err == nil && n > 0 {
		p.interval = time.Duration(n) * time.Second
	}
	if n, err := strconv.Atoi(service.Annotations[azureProbeThreshold]); err == nil && n > 0 {
		p.threshold = n
	}
	return p, each
}

// health is what the probes of a port at a node have found.
type health struct {
	up bool
	// other is how many probes in a row have found the other of up.
	other int
}

// after is the health after one more probe.
func (h health) after(answered bool, threshold int) health {
	if answered == h.up {
		h.other = 0
		return h
	}
	if h.other++; h.other < threshold {
		return h
	}
	return health{up: answered}
}

// target is a port of a Service at a node.
type target struct {
	address  netip.Addr
	port     int32
	hostPort string // the node's, to probe
}

// probes are those that run, each in a goroutine of its own.
type probes struct {
	mu      sync.Mutex
	running map[target]*probe
	ended   sync.WaitGroup
	dial    func(ctx context.Context, hostPort string) error
}

type probe struct {
	stop   context.CancelFunc
	how    probing
	health health
}

func newProbes() *probes { return &probes{running: map[target]*probe{}, dial: connect} }

// follow has these targets probed and no others.
func (p *probes) follow(ctx context.Context, targets map[target]probing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for t, one := range p.running {
		if _, wanted := targets[t]; !wanted {
			one.stop()
			delete(p.running, t)
		}
	}
	for t, how := range targets {
		if one, ok := p.running[t]; ok {
			one.how = how
			continue
		}
		probing, stop := context.WithCancel(ctx)
		one := &probe{stop: stop, how: how}
		p.running[t] = one
		p.ended.Go(func() { p.run(probing, t, one) })
	}
}

// run probes a target until the context ends, at its own pace: those of a load balancer don't keep in step either.
func (p *probes) run(ctx context.Context, t target, one *probe) {
	pause := time.Duration(t.port%10) * every / 10
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		p.mu.Lock()
		how := one.how
		p.mu.Unlock()
		began := time.Now()
		bounded, cancel := context.WithTimeout(ctx, how.interval)
		err := p.dial(bounded, t.hostPort)
		cancel()
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		one.health = one.health.after(err == nil, how.threshold)
		p.mu.Unlock()
		pause = max(how.interval-time.Since(began), 0)
	}
}

// health is what is known of a target.
func (p *probes) health(t target) health {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.running[t]; one != nil {
		return one.health
	}
	return health{}
}

// connect makes a TCP connection and closes it.
func connect(ctx context.Context, hostPort string) error {
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", hostPort)
	if err != nil {
		return err
	}
	return conn.Close()
}

// portTargets are what to probe of a Service at an address: each port, at each node's node port for it.
func portTargets(service *corev1.Service, address netip.Addr, nodes []string) []target {
	var all []target
	for _, port := range service.Spec.Ports {
		for _, node := range nodes {
			if port.NodePort != 0 && port.Protocol == corev1.ProtocolTCP {
				all = append(all, target{address, port.Port, net.JoinHostPort(node, strconv.Itoa(int(port.NodePort)))})
			}
		}
	}
	return all
}

// rule leads a port of an address by a routing table: routing policy rules match destination ports, so that
// nothing of the packet filter is needed.
type rule struct {
	address netip.Addr
	port    int32
	table   int
}

// tables numbers the tables for sets of nodes: base, for none, and one for each set. base is also the priority of
// the rules.
type tables struct{ base int }

// of is the table for some of the nodes.
func (t tables) of(all, some []string) int {
	number := t.base
	for i, node := range all {
		if slices.Contains(some, node) {
			number += 1 << i
		}
	}
	return number
}

// fill is what `ip -batch` needs to make the tables of all sets.
func (t tables) fill(all []string) []string {
	var commands []string
	for set := range 1 << len(all) {
		var some []string
		for i, node := range all {
			if set&(1<<i) != 0 {
				some = append(some, node)
			}
		}
		// The table comes before the next hops.
		args := routeArguments("default table "+strconv.Itoa(t.of(all, some)), some)
		commands = append(commands, "route "+strings.Join(args, " "))
	}
	return commands
}

func (t tables) rule(verb string, r rule) string {
	return fmt.Sprintf("rule %s priority %d to %s ipproto tcp dport %d lookup %d", verb, t.base, r.address, r.port, r.table)
}

// changes is what `ip -batch` needs to make the rules those wanted, of those that there are. A rule is added before
// the one that it replaces is deleted, so that the port is led somewhere at any time.
func (t tables) changes(are, wanted map[rule]bool) []string {
	var add, del []string
	for r := range wanted {
		if !are[r] {
			add = append(add, t.rule("add", r))
		}
	}
	for r := range are {
		if !wanted[r] {
			del = append(del, t.rule("del", r))
		}
	}
	slices.Sort(add)
	slices.Sort(del)
	return append(add, del...)
}
