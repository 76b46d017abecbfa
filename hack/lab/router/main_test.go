package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestRouteArguments(t *testing.T) {
	for want, nodes := range map[string][]string{
		"replace unreachable 10.89.0.1":                                   nil,
		"replace 10.89.0.1 nexthop via 10.88.0.11":                        {"10.88.0.11"},
		"replace 10.89.0.1 nexthop via 10.88.0.11 nexthop via 10.88.0.12": {"10.88.0.11", "10.88.0.12"},
	} {
		if got := strings.Join(routeArguments("10.89.0.1", nodes), " "); got != want {
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
	expect := func(want bool, findings ...finding) {
		t.Helper()
		for i, f := range findings {
			if c = c.after(f); c.healthy != want {
				t.Errorf("finding %d, %d: healthy %v", i, f, c.healthy)
			}
		}
	}
	expect(false, nobody, silence) // nothing was ever heard of it
	expect(true, well, nobody, nobody, well, nobody, silence, nobody, nobody)
	expect(false, nobody, silence)       // for too long
	expect(true, well)                   // an answer counts at once
	expect(false, sick, nobody, silence) // as this does
	expect(true, well)
	for range muteAfter - 1 {
		expect(true, silence)
	}
	expect(false, silence)
}

func TestAsk(t *testing.T) {
	r := &router{http: &http.Client{}}
	status, release := http.StatusOK, make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if status == 0 {
			<-release
			return
		}
		w.WriteHeader(status)
	}))
	address := server.Listener.Addr().String()
	for _, c := range []struct {
		status int
		want   finding
	}{{http.StatusOK, well}, {http.StatusServiceUnavailable, sick}, {0, silence}} {
		if c.want == silence {
			r.http.Timeout = 50 * time.Millisecond
		}
		if status = c.status; r.ask(t.Context(), address) != c.want {
			t.Errorf("status %d: not %d", c.status, c.want)
		}
	}
	close(release)
	server.Close()
	if got := r.ask(t.Context(), address); got != nobody {
		t.Errorf("a closed port: %d", got)
	}
}
