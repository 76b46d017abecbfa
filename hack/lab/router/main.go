// Command router is the load balancer's data path of a lab with several nodes: it leads each load
// balancer address to the nodes that say they can serve it, as the health checks of a real load
// balancer do. With externalTrafficPolicy Local it asks the Service's healthCheckNodePort of each
// node, otherwise kube-proxy's own health port. Of some Services it leads each port by itself (ports.go). An answer counts at once, its absence when it lasts: a
// route that is taken away and comes back cuts every connection over it. It sets routes of this
// machine, by `ip route`, and of single ports by `ip rule`.
//
//	router --kubeconfig FILE --cidr 10.89.0.0/24 --tables 18800
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// every is the time between two rounds of health checks.
	every = 500 * time.Millisecond
	// deadAfter is how many checks in a row may find nobody there, and muteAfter how many may find
	// somebody who says nothing: a machine that is busy.
	deadAfter, muteAfter = 3, 20
	// kubeProxyHealth is the port of kube-proxy's health check.
	kubeProxyHealth = 10256
)

func main() {
	kubeconfig := pflag.String("kubeconfig", "", "the lab's kubeconfig")
	cidr := pflag.String("cidr", "", "the addresses to lead")
	base := pflag.Int("tables", 0, "the first of 16 routing tables for single ports, and the priority of the rules that lead to them")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, *kubeconfig, *cidr, *base)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		slog.Error("router ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, cidr string, base int) error {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return fmt.Errorf("--cidr: %w", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	r := &router{
		api: api, prefix: prefix, routes: map[netip.Addr][]string{}, checks: map[string]check{},
		tables: tables{base}, rules: map[rule]bool{}, probes: newProbes(),
		http: &http.Client{Timeout: every, Transport: &http.Transport{
			DisableKeepAlives: true,
			// Shorter, so that who does not answer is told from who is not there.
			DialContext: (&net.Dialer{Timeout: every / 2}).DialContext,
		}},
	}
	if err := r.clearPorts(ctx); err != nil { // of one that was killed
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := r.round(ctx); err != nil {
			slog.Warn("round failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

type router struct {
	api    kubernetes.Interface
	http   *http.Client
	prefix netip.Prefix
	// routes are those set: address -> nodes.
	routes map[netip.Addr][]string
	// checks are the outcomes of the last round, by host:port.
	checks map[string]check
	// tables are those for single ports, filled for tablesOf, and rules those set.
	tables   tables
	tablesOf []string
	rules    map[rule]bool
	probes   *probes
}

// check is what is known of the health of a port.
type check struct {
	healthy bool
	// dead and mute are how many checks in a row found nobody, and heard nothing.
	dead, mute int
}

// finding is what one check found.
type finding int

const (
	nobody  finding = iota // no connection
	silence                // a connection, and no answer
	sick                   // an answer that is not 200
	well
)

// after is what is known after one more check.
func (c check) after(f finding) check {
	switch f {
	case well, sick:
		return check{healthy: f == well}
	case silence:
		c.dead, c.mute = 0, c.mute+1
	case nobody:
		c.dead, c.mute = c.dead+1, c.mute+1
	}
	c.healthy = c.healthy && c.dead < deadAfter && c.mute < muteAfter
	return c
}

// round checks every node for every address, and sets the routes that changed.
func (r *router) round(ctx context.Context) error {
	// From the API server's cache: a stale answer is put right in half a second.
	cached := metav1.ListOptions{ResourceVersion: "0"}
	nodes, err := r.api.CoreV1().Nodes().List(ctx, cached)
	if err != nil {
		return err
	}
	services, err := r.api.CoreV1().Services(metav1.NamespaceAll).List(ctx, cached)
	if err != nil {
		return err
	}
	now := map[string]check{}
	wanted := map[netip.Addr][]string{}
	probed := map[target]probing{}
	rules := map[rule]bool{}
	ips := nodeIPs(nodes.Items)
	for i := range services.Items {
		service := &services.Items[i]
		if how, each := probesEachPort(service); each {
			for _, address := range addresses(service, r.prefix) {
				wanted[address] = []string{} // but for its ports
				targets := portTargets(service, address, ips)
				for _, t := range targets {
					probed[t] = how
				}
				maps.Copy(rules, r.portRules(address, ips, targets))
			}
			continue
		}
		port := cmp.Or(int(service.Spec.HealthCheckNodePort), kubeProxyHealth)
		for _, address := range addresses(service, r.prefix) {
			wanted[address] = []string{}
			for _, node := range ips {
				at := net.JoinHostPort(node, strconv.Itoa(port))
				if _, known := now[at]; !known {
					now[at] = r.checks[at].after(r.ask(ctx, at))
				}
				if now[at].healthy {
					wanted[address] = append(wanted[address], node)
				}
			}
		}
	}
	r.checks = now
	r.probes.follow(ctx, probed)
	return errors.Join(r.setPorts(ctx, ips, rules), r.set(ctx, wanted))
}

// ask checks once.
func (r *router) ask(ctx context.Context, hostPort string) finding {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+hostPort+"/healthz", nil)
	if err != nil {
		return nobody
	}
	response, err := r.http.Do(request)
	var network *net.OpError
	switch {
	case errors.As(err, &network) && network.Op == "dial":
		return nobody
	case err != nil:
		return silence
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return sick
	}
	return well
}

// portRules are those for the ports of an address. A port whose probes are just changing their minds is led as before: a
// rule that changes can move connections to another node, which cuts them.
func (r *router) portRules(address netip.Addr, nodes []string, targets []target) map[rule]bool {
	up, changing := map[int32][]string{}, map[int32]bool{}
	for _, t := range targets {
		node, _, _ := net.SplitHostPort(t.hostPort)
		health := r.probes.health(t)
		if health.up {
			up[t.port] = append(up[t.port], node)
		}
		changing[t.port] = changing[t.port] || health.other > 0
	}
	rules := map[rule]bool{}
	for port, some := range up {
		if !changing[port] {
			rules[rule{address, port, r.tables.of(nodes, some)}] = true
		}
	}
	for was := range r.rules {
		if was.address == address && changing[was.port] {
			rules[was] = true
		}
	}
	return rules
}

// setPorts makes the rules of this machine those wanted. Other ports of their addresses lead where the address does.
func (r *router) setPorts(ctx context.Context, nodes []string, wanted map[rule]bool) error {
	var commands []string
	if len(wanted) > 0 && !slices.Equal(r.tablesOf, nodes) {
		commands = r.tables.fill(nodes)
	}
	commands = append(commands, r.tables.changes(r.rules, wanted)...)
	if len(commands) == 0 {
		return nil
	}
	batch := exec.CommandContext(ctx, "ip", "-batch", "-")
	batch.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	if out, err := batch.CombinedOutput(); err != nil {
		// Some may have been done: begin again from nothing.
		r.rules, r.tablesOf = map[rule]bool{}, nil
		return errors.Join(fmt.Errorf("ip -batch: %w: %s", err, out), r.clearPorts(ctx))
	}
	slog.Info("ports", "commands", commands)
	r.rules = wanted
	if len(wanted) > 0 {
		r.tablesOf = nodes
	}
	return nil
}

// clearPorts deletes all rules.
func (r *router) clearPorts(ctx context.Context) error {
	// One at a time, until there is none, which is an error.
	for exec.CommandContext(ctx, "ip", "rule", "del", "priority", strconv.Itoa(r.tables.base)).Run() == nil {
		continue
	}
	return ctx.Err()
}

// set makes the routes of this machine those wanted.
func (r *router) set(ctx context.Context, wanted map[netip.Addr][]string) error {
	var failed error
	for _, address := range slices.Collect(maps.Keys(r.routes)) {
		if _, ok := wanted[address]; !ok {
			failed = errors.Join(failed, ipRoute(ctx, "del", address.String()))
			delete(r.routes, address)
		}
	}
	for address, nodes := range wanted {
		if was, ok := r.routes[address]; ok && slices.Equal(was, nodes) {
			continue
		}
		if err := ipRoute(ctx, routeArguments(address.String(), nodes)...); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		slog.Info("route", "address", address, "nodes", nodes)
		r.routes[address] = nodes
	}
	return failed
}

// routeArguments of `ip route` for a destination: over all of the nodes; with none, nowhere, so that
// clients are told at once.
func routeArguments(destination string, nodes []string) []string {
	if len(nodes) == 0 {
		return []string{"replace", "unreachable", destination}
	}
	args := []string{"replace", destination}
	for _, node := range nodes {
		args = append(args, "nexthop", "via", node)
	}
	return args
}

func ipRoute(ctx context.Context, args ...string) error {
	args = append([]string{"route"}, args...)
	if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// addresses of the Service that lie in the prefix.
func addresses(service *corev1.Service, prefix netip.Prefix) []netip.Addr {
	var all []netip.Addr
	if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return nil
	}
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if address, err := netip.ParseAddr(ingress.IP); err == nil && prefix.Contains(address) {
			all = append(all, address)
		}
	}
	return all
}

func nodeIPs(nodes []corev1.Node) []string {
	var all []string
	for _, node := range nodes {
		for _, address := range node.Status.Addresses {
			if address.Type == corev1.NodeInternalIP {
				all = append(all, address.Address)
			}
		}
	}
	slices.Sort(all)
	return all
}
