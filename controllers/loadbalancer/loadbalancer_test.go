package loadbalancer_test

import (
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	lb "github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
)

const aws = "service.beta.kubernetes.io/aws-load-balancer-"

func host(name string) []corev1.LoadBalancerIngress {
	return []corev1.LoadBalancerIngress{{Hostname: name}}
}

func note(key, value string) map[string]string { return map[string]string{key: value} }

func TestDetect(t *testing.T) {
	for _, test := range []struct {
		name string
		in   lb.Input
		want lb.Kind
	}{
		{"nothing is known", lb.Input{}, lb.Unknown},
		{"bare metal", lb.Input{Ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}, ProviderID: "kind://x/y"}, lb.Unknown},
		{"class of the AWS controller", lb.Input{Class: "service.k8s.aws/nlb"}, lb.AWSNetwork},
		{"class of EKS", lb.Input{Class: "eks.amazonaws.com/nlb", ProviderID: "aws:///a/i-1"}, lb.AWSNetwork},
		{"another's class on AWS", lb.Input{Class: "metallb.io/metallb", ProviderID: "aws:///a/i-1"}, lb.Unknown},
		{"type external", lb.Input{Annotations: note(aws+"type", "external")}, lb.AWSNetwork},
		{"type nlb", lb.Input{Annotations: note(aws+"type", "nlb")}, lb.AWSNetwork},
		{"any annotation of AWS", lb.Input{Annotations: note(aws+"internal", "true")}, lb.AWSClassic},
		{"AWS nodes", lb.Input{ProviderID: "aws:///eu-west-1a/i-0123"}, lb.AWSClassic},
		{"an NLB answered", lb.Input{ProviderID: "aws:///a/i-1", Ingress: host("k8s-files-1a2b.elb.eu-west-1.amazonaws.com")}, lb.AWSNetwork},
		{"an NLB in China", lb.Input{Ingress: host("K8S-files.ELB.cn-north-1.amazonaws.com.cn.")}, lb.AWSNetwork},
		{"a classic one answered", lb.Input{Ingress: host("internal-a1b2-3.us-east-1.elb.amazonaws.com")}, lb.AWSClassic},
		{"what answers counts more than what was asked for", lb.Input{Class: "service.k8s.aws/nlb", Ingress: host("a-1.us-east-1.elb.amazonaws.com")}, lb.AWSClassic},
		{"another name", lb.Input{Ingress: host("elb.example.com")}, lb.Unknown},
		{"another name that ends alike", lb.Input{Ingress: host("a.elb.b.notamazonaws.com")}, lb.Unknown},
		{"Google's nodes", lb.Input{ProviderID: "gce://p/europe-west1-b/n"}, lb.GoogleExternal},
		{"internal on Google", lb.Input{ProviderID: "gce://p/z/n", Annotations: note("networking.gke.io/load-balancer-type", "Internal")}, lb.GoogleInternal},
		{"internal on Google, the old way", lb.Input{Annotations: note("cloud.google.com/load-balancer-type", "internal")}, lb.GoogleInternal},
		{"Google's class", lb.Input{Class: "networking.gke.io/l4-regional-internal"}, lb.GoogleInternal},
		{"Google's backend services", lb.Input{Annotations: note("cloud.google.com/l4-rbs", "enabled")}, lb.GoogleExternal},
		{"Azure's nodes", lb.Input{ProviderID: "azure:///subscriptions/s/x"}, lb.Azure},
		{"Azure's annotation", lb.Input{Annotations: note("service.beta.kubernetes.io/azure-load-balancer-internal", "true")}, lb.Azure},
	} {
		if got := lb.Detect(test.in); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestHidesClients(t *testing.T) {
	ip := func(attributes string) map[string]string {
		return map[string]string{aws + "type": "external", aws + "nlb-target-type": "ip", aws + "target-group-attributes": attributes}
	}
	for _, test := range []struct {
		name        string
		annotations map[string]string
		want        bool
	}{
		{"nothing", nil, false},
		{"instance targets", note(aws+"nlb-target-type", "instance"), false},
		{"IP targets", ip(""), true},
		{"IP targets, the old way", note(aws+"type", "nlb-ip"), true},
		{"IP targets that keep addresses", ip("a=b, preserve_client_ip.enabled=true"), false},
		{"IP targets that don't", ip("preserve_client_ip.enabled=false"), true},
	} {
		if got := lb.HidesClients(test.annotations); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// input returns a LoadBalancer with one control port and the given number of passive ports.
func input(passive int, change func(*lb.Input)) lb.Input {
	in := lb.Input{Type: corev1.ServiceTypeLoadBalancer, ControlPorts: 1, PassivePorts: passive, DeclaredPorts: passive}
	if change != nil {
		change(&in)
	}
	return in
}

func TestFindings(t *testing.T) {
	class := func(name string) func(*lb.Input) { return func(in *lb.Input) { in.Class = name } }
	nlb := class("service.k8s.aws/nlb")
	nodes := func(id string) func(*lb.Input) { return func(in *lb.Input) { in.ProviderID = id } }
	for _, test := range []struct {
		name     string
		in       lb.Input
		severity lb.Severity
		reason   string // empty: no finding
		message  string // part of the message
	}{
		{"an NLB's most", input(49, nlb), 0, "", ""},
		{"one more", input(50, nlb), lb.Exceeded, lb.ReasonTooManyListeners, "needs 51, one for each port: set spec.passive.portRange to 49 ports or fewer"},
		{"with implicit TLS", input(49, func(in *lb.Input) { nlb(in); in.ControlPorts = 2 }), lb.Exceeded, lb.ReasonTooManyListeners, "to 48 ports or fewer"},
		{"while a range moves", input(64, func(in *lb.Input) { nlb(in); in.DeclaredPorts = 32 }), lb.Exceeded, lb.ReasonTooManyListeners, "beyond the 32 declared ones"},
		{"a NodePort on AWS", input(64, func(in *lb.Input) { nlb(in); in.Type = corev1.ServiceTypeNodePort }), 0, "", ""},
		{"a classic one's security group", input(59, nodes("aws:///a/i")), 0, "", ""},
		{"beyond that", input(60, nodes("aws:///a/i")), lb.Exceeded, lb.ReasonTooManySecurityRules, "needs 61, one for each port and source range: set spec.passive.portRange to 59 ports"},
		{"a classic one's listeners", input(100, func(in *lb.Input) {
			in.ProviderID, in.Annotations = "aws:///a/i", note(aws+"security-groups", "sg-1")
		}), lb.Exceeded, lb.ReasonTooManyListeners, "100 listeners at most, unless AWS has raised the quota"},
		{"source ranges by family", input(29, func(in *lb.Input) { nlb(in); in.SourceRanges = []string{"10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"} }), 0, "", ""},
		{"source ranges multiply", input(30, func(in *lb.Input) { nlb(in); in.SourceRanges = []string{"10.0.0.0/8", "192.0.2.0/24"} }), lb.Exceeded, lb.ReasonTooManySecurityRules, "needs 62"},
		{"no room at all", input(10, func(in *lb.Input) { nlb(in); in.SourceRanges = make([]string, 40) }), lb.Exceeded, lb.ReasonTooManySecurityRules, "too few are left"},
		{"few ports on Google", input(4, nodes("gce://p/z/n")), 0, "", ""},
		{"a range on Google", input(5, nodes("gce://p/z/n")), lb.Note, lb.ReasonWholeRangeForwarded, "every port from the lowest to the highest"},
		{"a range on Google, internal", input(5, class("networking.gke.io/l4-regional-internal")), lb.Note, lb.ReasonWholeRangeForwarded, "forwards all ports"},
		{"Azure's most", input(299, nodes("azure:///s")), 0, "", ""},
		{"one more of Azure", input(300, nodes("azure:///s")), lb.Exceeded, lb.ReasonTooManyRules, "needs 301: set spec.passive.portRange to 299"},
		{"two families on Azure", input(150, func(in *lb.Input) { in.ProviderID, in.Families = "azure:///s", 2 }), lb.Exceeded, lb.ReasonTooManyRules, "needs 302: set spec.passive.portRange to 149"},
		{"a quarter of the node ports", input(691, nil), 0, "", ""},
		{"more of them", input(692, nil), lb.Warning, lb.ReasonManyNodePorts, "takes 693 of the cluster's node ports"},
		{"none of them", input(900, func(in *lb.Input) { in.NoNodePorts = true }), 0, "", ""},
		{"a NodePort's", input(900, func(in *lb.Input) { in.Type = corev1.ServiceTypeNodePort; in.NoNodePorts = true }), lb.Warning, lb.ReasonManyNodePorts, "narrow spec.passive.portRange"},
		{"a ClusterIP's", input(900, func(in *lb.Input) { in.Type = corev1.ServiceTypeClusterIP }), 0, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := lb.Findings(test.in)
			if test.reason == "" {
				if len(found) > 0 {
					t.Fatalf("found %+v", found)
				}
				return
			}
			if len(found) == 0 || found[0].Severity != test.severity || found[0].Reason != test.reason || !strings.Contains(found[0].Message, test.message) {
				t.Fatalf("found %+v, want %s (%d) with %q", found, test.reason, test.severity, test.message)
			}
		})
	}
}

// TestAdviceHelps: a range as narrow as a message advises removes that finding, and the worst finding comes first.
func TestAdviceHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := input(rapid.IntRange(2, 1000).Draw(t, "passive"), nil)
		in.ControlPorts = rapid.IntRange(1, 2).Draw(t, "control")
		in.Class = rapid.SampledFrom([]string{"", "service.k8s.aws/nlb", "networking.gke.io/l4-regional-external", "example.com/lb"}).Draw(t, "class")
		in.ProviderID = rapid.SampledFrom([]string{"", "aws:///a/i", "azure:///s", "gce://p/z/n"}).Draw(t, "provider")
		in.Families = rapid.IntRange(0, 2).Draw(t, "families")
		in.SourceRanges = rapid.SliceOfN(rapid.SampledFrom([]string{"10.0.0.0/8", "2001:db8::/32"}), 0, 20).Draw(t, "ranges")
		found := lb.Findings(in)
		for i, f := range found {
			if i > 0 && f.Severity > found[i-1].Severity {
				t.Fatalf("%+v comes after %+v", f, found[i-1])
			}
			_, after, says := strings.Cut(f.Message, "set spec.passive.portRange to ")
			if !says {
				continue
			}
			number, _, _ := strings.Cut(after, " ")
			fewer, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("%q: %v", f.Message, err)
			}
			narrower := in
			narrower.PassivePorts, narrower.DeclaredPorts = fewer, fewer
			for _, still := range lb.Findings(narrower) {
				if still.Reason == f.Reason {
					t.Fatalf("%d ports are still too many: %+v", fewer, still)
				}
			}
			narrower.PassivePorts++
			narrower.DeclaredPorts++
			worse := false
			for _, again := range lb.Findings(narrower) {
				worse = worse || again.Reason == f.Reason
			}
			if !worse {
				t.Fatalf("%d ports would be fine, %q says fewer", fewer+1, f.Message)
			}
		}
	})
}
