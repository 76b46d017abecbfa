package resources_test

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// TestSourceRangesInThePolicy: the policy has the source ranges only where it sees the clients' own addresses.
func TestSourceRangesInThePolicy(t *testing.T) {
	peers := func(change func(*resources.Inputs)) int {
		s := everything()
		change(&s.in)
		return len(resources.NetworkPolicy(s.in).Spec.Ingress[0].From)
	}
	if n := peers(func(*resources.Inputs) {}); n != 3 {
		t.Errorf("Local: %d peers, want two networks and the cluster", n)
	}
	if n := peers(func(in *resources.Inputs) { in.Server.Spec.Service.ExternalTrafficPolicy = "Cluster" }); n != 0 {
		t.Errorf("Cluster: %d peers, want anybody", n)
	}
	if n := peers(func(in *resources.Inputs) {
		in.ServiceIngress = []corev1.LoadBalancerIngress{{IPMode: new(corev1.LoadBalancerIPModeProxy)}}
	}); n != 0 {
		t.Errorf("a proxying load balancer: %d peers, want anybody", n)
	}
	if n := peers(func(in *resources.Inputs) { in.Server.Spec.Service.ProxyProtocol = &v1alpha1.ProxyProtocolSpec{} }); n != 0 {
		t.Errorf("PROXY protocol: %d peers, want anybody", n)
	}
	if n := peers(func(in *resources.Inputs) { in.Server.Spec.Service.LoadBalancerSourceRanges = nil }); n != 0 {
		t.Errorf("no ranges: %d peers, want anybody", n)
	}
}

// drawGuarded is draw with random values of everything on which a NetworkPolicy depends.
func drawGuarded(t *rapid.T) sample {
	s := draw(t)
	spec := &s.in.Server.Spec
	network := rapid.SampledFrom([]v1alpha1.Network{"203.0.113.0/24", "2001:db8::/32", "198.51.100.7", "0.0.0.0/0"})
	spec.NetworkPolicy.AllowedNetworks = rapid.SliceOfNDistinct(network, 0, 3, rapid.ID).Draw(t, "allowed")
	spec.Service.LoadBalancerSourceRanges = rapid.SliceOfN(rapid.SampledFrom([]string{"192.0.2.0/24", "203.0.113.0/25"}), 0, 2).Draw(t, "ranges")
	spec.Active.Enabled = rapid.Bool().Draw(t, "active")
	if rapid.Bool().Draw(t, "PROXY protocol") {
		spec.Service.ProxyProtocol = &v1alpha1.ProxyProtocolSpec{Trusted: []v1alpha1.Network{"10.0.0.0/8"}}
	}
	if rapid.Bool().Draw(t, "proxying load balancer") {
		s.in.ServiceIngress = []corev1.LoadBalancerIngress{{IPMode: new(corev1.LoadBalancerIPModeProxy)}}
	}
	if rapid.Bool().Draw(t, "scraped") {
		spec.NetworkPolicy.MetricsFrom = []v1alpha1.PodPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "prometheus"}}}}
	}
	s.in.AdvertisedAddress = rapid.SampledFrom([]string{"", "192.0.2.7", "ftp.example.com"}).Draw(t, "address")
	return s
}

// admits reports whether a rule's peers allow an address that is not a pod's; no peers allow every address.
func admits(peers []networkingac.NetworkPolicyPeerApplyConfiguration, from netip.Addr) bool {
	for _, peer := range peers {
		if peer.IPBlock != nil && netip.MustParsePrefix(*peer.IPBlock.CIDR).Contains(from) {
			return true
		}
	}
	return len(peers) == 0
}

// TestPolicyIsNeverWider: for any server, no address outside the allowed networks can reach an FTP port or is
// dialled, only the operator and the scrapers can reach the admin port, and no outgoing traffic is allowed without
// need. With the PROXY protocol the daemons' configuration has the allowed networks instead.
func TestPolicyIsNeverWider(t *testing.T) {
	outside := netip.MustParseAddr("233.252.0.9")
	rapid.Check(t, func(t *rapid.T) {
		s := drawGuarded(t)
		spec := &s.in.Server.Spec
		policy := resources.NetworkPolicy(s.in).Spec
		anywhere := len(spec.NetworkPolicy.AllowedNetworks) == 0
		for _, n := range spec.NetworkPolicy.AllowedNetworks {
			anywhere = anywhere || n == "0.0.0.0/0"
		}
		clients := policy.Ingress[0].From
		if spec.Service.ProxyProtocol == nil && !anywhere && admits(clients, outside) {
			t.Fatalf("%s may connect, allowed are %v", outside, spec.NetworkPolicy.AllowedNetworks)
		}
		if spec.Service.ProxyProtocol != nil && len(clients) > 0 {
			t.Fatalf("the policy would shut the proxies out: %v", clients)
		}
		if got := resources.DaemonConfig(s.in, nil).AllowedNetworks; len(got) != len(spec.NetworkPolicy.AllowedNetworks) {
			t.Fatalf("the daemons keep %v, allowed are %v", got, spec.NetworkPolicy.AllowedNetworks)
		}

		admin := policy.Ingress[1]
		if len(policy.Ingress) != 2 || len(admin.Ports) != 1 || admin.Ports[0].Port.IntVal != resources.AdminPort || admin.Ports[0].EndPort != nil {
			t.Fatalf("the second rule is not the admin port's: %+v", policy.Ingress)
		}
		if len(admin.From) != 1+len(spec.NetworkPolicy.MetricsFrom) {
			t.Fatalf("%d may reach the admin port, want the operator and %d scrapers", len(admin.From), len(spec.NetworkPolicy.MetricsFrom))
		}
		for _, peer := range admin.From {
			if peer.PodSelector == nil && peer.NamespaceSelector == nil {
				t.Fatal("somebody without a selector may reach the admin port")
			}
		}

		rules := policy.Egress
		if spec.Active.Enabled {
			if !anywhere && admits(rules[0].To, outside) {
				t.Fatalf("%s may be dialled, allowed are %v", outside, spec.NetworkPolicy.AllowedNetworks)
			}
			rules = rules[1:]
		}
		if s.in.AdvertisedAddress == "ftp.example.com" {
			for _, port := range rules[0].Ports {
				if p := port.Port.IntVal; p != 53 && p != 5353 {
					t.Fatalf("port %d is open for DNS", p)
				}
			}
			rules = rules[1:]
		}
		if len(rules) > 0 {
			t.Fatalf("open without need: %v", rules)
		}
	})
}
