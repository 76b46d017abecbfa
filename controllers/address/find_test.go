package address_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
)

func ingress(ipOrName ...string) []corev1.LoadBalancerIngress {
	var out []corev1.LoadBalancerIngress
	for _, text := range ipOrName {
		if strings.ContainsAny(text, "ghijklmnopqrstuvwxyz") {
			out = append(out, corev1.LoadBalancerIngress{Hostname: text})
		} else {
			out = append(out, corev1.LoadBalancerIngress{IP: text})
		}
	}
	return out
}

// node returns a node that is ready and runs a pod, unless its name contains "down" or "empty".
func node(name, external, internal string) address.Node {
	n := address.Node{Name: name, Ready: !strings.Contains(name, "down"), HasPod: !strings.Contains(name, "empty")}
	n.Addresses = append(n.Addresses, corev1.NodeAddress{Type: corev1.NodeHostName, Address: name})
	for _, ip := range strings.Fields(external) {
		n.Addresses = append(n.Addresses, corev1.NodeAddress{Type: corev1.NodeExternalIP, Address: ip})
	}
	for _, ip := range strings.Fields(internal) {
		n.Addresses = append(n.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: ip})
	}
	return n
}

func TestFind(t *testing.T) {
	tests := map[string]struct {
		in      address.Input
		address string
		source  v1alpha1.AddressSource
		reason  string
	}{
		"the spec wins over everything": {
			in:      address.Input{Spec: "ftp.example.com", ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("192.0.2.1")},
			address: "ftp.example.com", source: v1alpha1.AddressFromSpec,
		},
		"an IP in the spec is written canonically": {
			in:      address.Input{Spec: "2001:DB8:0::1"},
			address: "2001:db8::1", source: v1alpha1.AddressFromSpec,
		},
		"no type is LoadBalancer": {
			in:      address.Input{Ingress: ingress("192.0.2.1")},
			address: "192.0.2.1", source: v1alpha1.AddressFromLoadBalancerIP,
		},
		"the load balancer is pending": {
			in:     address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, ClusterIPs: []string{"10.0.0.9"}, Nodes: []address.Node{node("a", "192.0.2.7", "")}},
			reason: address.ReasonLoadBalancerPending,
		},
		"an empty ingress is pending": {
			in:     address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: []corev1.LoadBalancerIngress{{}}},
			reason: address.ReasonLoadBalancerPending,
		},
		"the load balancer takes its address back": {
			in: address.Input{ServiceType: corev1.ServiceTypeLoadBalancer,
				Previous: "192.0.2.1", PreviousSource: v1alpha1.AddressFromLoadBalancerIP},
			address: "192.0.2.1", source: v1alpha1.AddressFromLoadBalancerIP, reason: address.ReasonAddressLost,
		},
		"the load balancer takes its name back": {
			in: address.Input{Ingress: []corev1.LoadBalancerIngress{{}},
				Previous: "lb.example.com", PreviousSource: v1alpha1.AddressFromLoadBalancerHostname},
			address: "lb.example.com", source: v1alpha1.AddressFromLoadBalancerHostname, reason: address.ReasonAddressLost,
		},
		"another address takes the place of the one that was lost": {
			in: address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("192.0.2.9"),
				Previous: "192.0.2.1", PreviousSource: v1alpha1.AddressFromLoadBalancerIP},
			address: "192.0.2.9", source: v1alpha1.AddressFromLoadBalancerIP,
		},
		"a declared address that is declared no more is not kept": {
			in: address.Input{ServiceType: corev1.ServiceTypeLoadBalancer,
				Previous: "192.0.2.1", PreviousSource: v1alpha1.AddressFromSpec},
			reason: address.ReasonLoadBalancerPending,
		},
		"an address of another type of Service is not kept": {
			in: address.Input{ServiceType: corev1.ServiceTypeLoadBalancer,
				Previous: "10.0.0.9", PreviousSource: v1alpha1.AddressFromClusterIP},
			reason: address.ReasonLoadBalancerPending,
		},
		"an IP before a host name": {
			in:      address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("lb.example.com", "192.0.2.1")},
			address: "192.0.2.1", source: v1alpha1.AddressFromLoadBalancerIP,
		},
		"a host name alone": {
			in:      address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("lb-2.example.org", "lb-1.example.org")},
			address: "lb-1.example.org", source: v1alpha1.AddressFromLoadBalancerHostname,
		},
		"a host name stays": {
			in:      address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("lb-2.example.org", "lb-1.example.org"), Previous: "lb-2.example.org"},
			address: "lb-2.example.org", source: v1alpha1.AddressFromLoadBalancerHostname,
		},
		"IPv4 before IPv6, the lowest by number": {
			in:      address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("2001:db8::1", "192.0.2.10", "192.0.2.9")},
			address: "192.0.2.9", source: v1alpha1.AddressFromLoadBalancerIP,
		},
		"the previous IPv4 stays": {
			in:      address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("192.0.2.10", "192.0.2.9"), Previous: "192.0.2.10"},
			address: "192.0.2.10", source: v1alpha1.AddressFromLoadBalancerIP,
		},
		"the previous IPv6 gives way to an IPv4": {
			in:      address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("2001:db8::1", "192.0.2.10"), Previous: "2001:db8::1"},
			address: "192.0.2.10", source: v1alpha1.AddressFromLoadBalancerIP,
		},
		"IPv6 alone": {
			in:      address.Input{ServiceType: corev1.ServiceTypeLoadBalancer, Ingress: ingress("2001:db8::1")},
			address: "2001:db8::1", source: v1alpha1.AddressFromLoadBalancerIP,
		},
		"NodePort: external before internal, lowest first": {
			in: address.Input{ServiceType: corev1.ServiceTypeNodePort, Nodes: []address.Node{
				node("a", "", "10.0.0.1"), node("b", "203.0.113.9", "10.0.0.2"), node("c", "203.0.113.8", "10.0.0.3")}},
			address: "203.0.113.8", source: v1alpha1.AddressFromNodeExternalIP,
		},
		"NodePort: internal when there is no other": {
			in:      address.Input{ServiceType: corev1.ServiceTypeNodePort, Nodes: []address.Node{node("b", "", "fd00::2 10.0.0.2"), node("a", "", "10.0.0.3")}},
			address: "10.0.0.2", source: v1alpha1.AddressFromNodeInternalIP,
		},
		"NodePort: a node that is down does not count": {
			in: address.Input{ServiceType: corev1.ServiceTypeNodePort, Previous: "203.0.113.1", Nodes: []address.Node{
				node("down", "203.0.113.1", ""), node("b", "203.0.113.2", "")}},
			address: "203.0.113.2", source: v1alpha1.AddressFromNodeExternalIP,
		},
		"NodePort: the previous node stays": {
			in: address.Input{ServiceType: corev1.ServiceTypeNodePort, Previous: "203.0.113.2", Nodes: []address.Node{
				node("a", "203.0.113.1", ""), node("b", "203.0.113.2", "")}},
			address: "203.0.113.2", source: v1alpha1.AddressFromNodeExternalIP,
		},
		"NodePort under Local: only where a pod runs": {
			in: address.Input{ServiceType: corev1.ServiceTypeNodePort, OnlyNodesWithPod: true, Previous: "203.0.113.1", Nodes: []address.Node{
				node("empty", "203.0.113.1", ""), node("b", "", "10.0.0.2")}},
			address: "10.0.0.2", source: v1alpha1.AddressFromNodeInternalIP,
		},
		"NodePort under Local without a pod": {
			in: address.Input{ServiceType: corev1.ServiceTypeNodePort, OnlyNodesWithPod: true,
				Nodes: []address.Node{node("empty", "203.0.113.1", "")}},
			reason: address.ReasonNoNodeAddress,
		},
		"NodePort, and the last node is down": {
			in: address.Input{ServiceType: corev1.ServiceTypeNodePort, Nodes: []address.Node{node("down", "203.0.113.1", "")},
				Previous: "203.0.113.1", PreviousSource: v1alpha1.AddressFromNodeExternalIP},
			address: "203.0.113.1", source: v1alpha1.AddressFromNodeExternalIP, reason: address.ReasonAddressLost,
		},
		"NodePort where nodes may not be read": {
			in:     address.Input{ServiceType: corev1.ServiceTypeNodePort, NodesHidden: true},
			reason: address.ReasonNodesNotReadable,
		},
		"NodePort where nodes may not be read any more": {
			in: address.Input{ServiceType: corev1.ServiceTypeNodePort, NodesHidden: true,
				Previous: "203.0.113.1", PreviousSource: v1alpha1.AddressFromNodeInternalIP},
			address: "203.0.113.1", source: v1alpha1.AddressFromNodeInternalIP, reason: address.ReasonAddressLost,
		},
		"NodePort without nodes": {
			in:     address.Input{ServiceType: corev1.ServiceTypeNodePort},
			reason: address.ReasonNoNodeAddress,
		},
		"ClusterIP": {
			in:      address.Input{ServiceType: corev1.ServiceTypeClusterIP, ClusterIPs: []string{"fd00::9", "10.0.0.9"}},
			address: "10.0.0.9", source: v1alpha1.AddressFromClusterIP,
		},
		"the Service is made anew": {
			in: address.Input{ServiceType: corev1.ServiceTypeClusterIP,
				Previous: "10.0.0.9", PreviousSource: v1alpha1.AddressFromClusterIP},
			address: "10.0.0.9", source: v1alpha1.AddressFromClusterIP, reason: address.ReasonAddressLost,
		},
		"ClusterIP not given yet": {
			in:     address.Input{ServiceType: corev1.ServiceTypeClusterIP, ClusterIPs: []string{""}},
			reason: address.ReasonClusterIPPending,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := address.Find(test.in)
			if got.Address != test.address || got.Source != test.source || got.Reason != test.reason {
				t.Errorf("got %+v", got)
			}
			if (got.Reason == "") != (got.Message == "") {
				t.Errorf("reason %q, message %q", got.Reason, got.Message)
			}
			if got.Lost != (got.Reason == address.ReasonAddressLost) {
				t.Errorf("lost is %v with reason %q", got.Lost, got.Reason)
			}
		})
	}
}

// TestPortErrors: the load balancer's errors about ports are passed on, with or without an address.
func TestPortErrors(t *testing.T) {
	denied, quota := "Denied", "example.com/Quota"
	lb := corev1.LoadBalancerIngress{IP: "192.0.2.1", Ports: []corev1.PortStatus{
		{Port: 30002, Error: &quota}, {Port: 30001, Error: &quota}, {Port: 21}, {Port: 30001, Error: &quota}, {Port: 30009, Error: &denied},
	}}
	got := address.Find(address.Input{Ingress: []corev1.LoadBalancerIngress{lb}})
	want := address.Result{
		Address: "192.0.2.1", Source: v1alpha1.AddressFromLoadBalancerIP, Reason: address.ReasonLoadBalancerPortError,
		Message: "the load balancer reports Denied for port 30009; the load balancer reports example.com/Quota for 2 ports from 30001 on",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	lb.IP = ""
	want.Address, want.Source = "", ""
	if got := address.Find(address.Input{Ingress: []corev1.LoadBalancerIngress{lb}}); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestFindIsSteady: the order of the inputs does not matter, and an address that was found is found again when it is
// the previous one, whatever other addresses of its kind are added.
func TestFindIsSteady(t *testing.T) {
	v4 := rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2", "198.51.100.3", "10.9.8.7"})
	rapid.Check(t, func(t *rapid.T) {
		in := address.Input{
			ServiceType: rapid.SampledFrom([]corev1.ServiceType{"LoadBalancer", "NodePort", "ClusterIP"}).Draw(t, "type"),
			ClusterIPs:  rapid.SliceOfN(v4, 1, 3).Draw(t, "cluster IPs"),
			Ingress:     ingress(rapid.SliceOfN(v4, 1, 3).Draw(t, "ingress")...),
		}
		for _, ip := range rapid.SliceOfN(v4, 1, 3).Draw(t, "nodes") {
			in.Nodes = append(in.Nodes, node("n", ip, ""))
		}
		first := address.Find(in)

		slices.Reverse(in.ClusterIPs)
		slices.Reverse(in.Ingress)
		slices.Reverse(in.Nodes)
		if again := address.Find(in); again != first {
			t.Fatalf("found %+v, and %+v in another order", first, again)
		}

		in.Previous, in.PreviousSource = first.Address, first.Source
		gone := in
		gone.ClusterIPs, gone.Ingress, gone.Nodes = nil, nil, nil
		if kept := address.Find(gone); kept.Address != first.Address || kept.Source != first.Source || !kept.Lost {
			t.Fatalf("found %+v, and kept %+v of it", first, kept)
		}
		more := v4.Draw(t, "more")
		in.ClusterIPs = append(in.ClusterIPs, more)
		in.Ingress = append(in.Ingress, ingress(more)...)
		in.Nodes = append(in.Nodes, node("m", more, ""))
		if again := address.Find(in); again != first {
			t.Fatalf("found %+v, and %+v after %s came", first, again, more)
		}
	})
}

func TestNodeOf(t *testing.T) {
	object := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "a"},
		Status: corev1.NodeStatus{
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeExternalIP, Address: "203.0.113.1"}},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionTrue}},
		},
	}
	if n := address.NodeOf(object); n.Ready || n.HasPod || n.Name != "a" || len(n.Addresses) != 1 {
		t.Errorf("without a Ready condition: %+v", n)
	}
	object.Status.Conditions = append(object.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue})
	if n := address.NodeOf(object); !n.Ready || n.HasPod {
		t.Errorf("ready: %+v", n)
	}
	object.Status.Conditions[1].Status = corev1.ConditionUnknown
	if n := address.NodeOf(object); n.Ready {
		t.Errorf("unknown: %+v", n)
	}
}

func TestEndpoint(t *testing.T) {
	for _, test := range []struct {
		host string
		port int32
		want string
	}{
		{"203.0.113.10", 21, "ftp://203.0.113.10:21"},
		{"2001:db8::1", 2100, "ftp://[2001:db8::1]:2100"},
		{"ftp.example.com", 21, "ftp://ftp.example.com:21"},
		{"", 21, ""},
		{"203.0.113.10", 0, ""},
	} {
		if got := address.Endpoint("ftp", test.host, test.port); got != test.want {
			t.Errorf("Endpoint(%q, %d) = %q, want %q", test.host, test.port, got, test.want)
		}
	}
}
