package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestRouteArguments(t *testing.T) {
	address := netip.MustParseAddr("10.89.0.1")
	for want, nodes := range map[string][]string{
		"replace unreachable 10.89.0.1":                                   nil,
		"replace 10.89.0.1 nexthop via 10.88.0.11":                        {"10.88.0.11"},
		"replace 10.89.0.1 nexthop via 10.88.0.11 nexthop via 10.88.0.12": {"10.88.0.11", "10.88.0.12"},
	} {
		if got := strings.Join(routeArguments(address, nodes), " "); got != want {
			t.Errorf("routeArguments(%v) = %q, want %q", nodes, got, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	service := &corev1.Service{}
	service.Spec.Type = corev1.ServiceTypeLoadBalancer
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "10.89.0.1"}, {IP: "198.51.100.1"}, {Hostname: "lb.example.com"}}
	prefix := netip.MustParsePrefix("10.89.0.0/24")
	if got, want := addresses(service, prefix), []netip.Addr{netip.MustParseAddr("10.89.0.1")}; !slices.Equal(got, want) {
		t.Errorf("addresses = %v, want %v", got, want)
	}
	service.Spec.Type = corev1.ServiceTypeClusterIP
	if got := addresses(service, prefix); len(got) != 0 {
		t.Errorf("addresses of a ClusterIP Service = %v", got)
	}
}

func TestCheck(t *testing.T) {
	var c check
	for i, step := range []struct{ answered, healthy, want bool }{
		{false, false, false}, // nothing was ever heard of it
		{true, true, true},
		{false, false, true}, // silence, for now
		{false, false, true},
		{true, true, true},
		{false, false, true},
		{false, false, true},
		{false, false, false}, // and for too long
		{true, true, true},
		{true, false, false}, // an answer counts at once
		{false, false, false},
	} {
		if c = c.after(step.answered, step.healthy); c.healthy != step.want {
			t.Errorf("step %d: healthy %v", i, c.healthy)
		}
	}
}
