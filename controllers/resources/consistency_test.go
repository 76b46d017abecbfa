package resources_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// draw returns a server of a random type, scale and storage, with random exposed ports.
func draw(t *rapid.T) sample {
	s := newSample(v1alpha1.FtpServerSpec{
		Replicas: new(rapid.Int32Range(0, 5).Draw(t, "replicas")),
		Service: v1alpha1.ServiceSpec{
			Type: rapid.SampledFrom([]corev1.ServiceType{"", "LoadBalancer", "NodePort", "ClusterIP"}).Draw(t, "type"),
			Port: rapid.SampledFrom([]int32{0, 21, 2100}).Draw(t, "port"),
		},
		Storage: rapid.SampledFrom([]v1alpha1.StorageSpec{
			minimal().in.Server.Spec.Storage, threeReplicas().in.Server.Spec.Storage, rwoClaim().in.Server.Spec.Storage,
		}).Draw(t, "storage"),
	})
	if rapid.Bool().Draw(t, "chosen node port") && s.in.Server.Spec.Service.Type != corev1.ServiceTypeClusterIP {
		s.in.Server.Spec.Service.NodePort = new(int32(32000))
	}
	if rapid.Bool().Draw(t, "implicit TLS") {
		s.in.Server.Spec.TLS = &v1alpha1.TLSSpec{Implicit: &v1alpha1.ImplicitTLSSpec{Enabled: true}}
	}
	s.in.Exposed = config.NewPortSet(rapid.SliceOfN(rapid.Uint16Range(30000, 30100), 1, 60).Draw(t, "exposed")...)
	return s
}

// TestOnePortTruth: the Service, the EndpointSlices and the NetworkPolicy carry the same ports, whatever the inputs.
func TestOnePortTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		// A random part of the exposed ports belongs to a pod.
		var own config.PortSet
		for _, port := range s.in.Exposed {
			if rapid.Bool().Draw(t, "own") {
				own = append(own, port)
			}
		}
		controls := 1
		if s.in.Server.Spec.TLS != nil {
			controls++
		}
		service := map[string]int32{} // by name: target port
		for _, p := range resources.Service(s.in).Spec.Ports {
			service[*p.Name] = p.TargetPort.IntVal
			if *p.Name == resources.ControlPortName || *p.Name == resources.ImplicitPortName {
				continue
			}
			if *p.Port != p.TargetPort.IntVal {
				t.Fatalf("%s: port %d leads to %d", *p.Name, *p.Port, p.TargetPort.IntVal)
			}
			if isNodePort := s.in.Server.Spec.Service.Type == corev1.ServiceTypeNodePort; isNodePort != (p.NodePort != nil) || isNodePort && *p.NodePort != *p.Port {
				t.Fatalf("%s: port %d has node port %v", *p.Name, *p.Port, p.NodePort)
			}
		}
		if len(service) != len(s.in.Exposed)+controls {
			t.Fatalf("%d ports in the Service, %d exposed", len(service), len(s.in.Exposed))
		}

		slice := map[string]int32{}
		for _, p := range resources.EndpointSlices(s.in, pod("files-0", "10.1.0.5", own))[0].Ports {
			if service[*p.Name] != *p.Port {
				t.Fatalf("slice: %s is %d, in the Service %d", *p.Name, *p.Port, service[*p.Name])
			}
			slice[*p.Name] = *p.Port
		}
		if len(slice) != len(own)+controls {
			t.Fatalf("%d ports in the slice of a pod that has %s", len(slice), own)
		}

		open := map[int32]bool{}
		for _, p := range resources.NetworkPolicy(s.in).Spec.Ingress[0].Ports {
			last := p.Port.IntVal
			if p.EndPort != nil {
				last = *p.EndPort
			}
			for port := p.Port.IntVal; port <= last; port++ {
				open[port] = true
			}
		}
		for _, port := range service {
			if !open[port] {
				t.Fatalf("port %d is in the Service, but not open", port)
			}
			delete(open, port)
		}
		if len(open) > 0 {
			t.Fatalf("open, but not in the Service: %v", open)
		}
	})
}

// TestControlNodePortComesLast: if the cluster is to choose a control port's node port, the passive ports come first
// in the list, so that it can't choose one of them.
func TestControlNodePortComesLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		ports := resources.Service(s.in).Spec.Ports
		at := 0
		if s.in.Server.Spec.Service.Type == corev1.ServiceTypeNodePort && s.in.Server.Spec.Service.NodePort == nil {
			at = len(ports) - 1
			if s.in.Server.Spec.TLS != nil {
				at-- // the cluster chooses that of implicit TLS, too
			}
		}
		if *ports[at].Name != resources.ControlPortName {
			t.Fatalf("port %d of %d is %s", at, len(ports), *ports[at].Name)
		}
	})
}

// TestScalingRollsNothing: the pod template does not depend on values that change while pods serve.
func TestScalingRollsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		before := template(t, s.in)
		s.in.Server.Spec.Replicas = new(rapid.Int32Range(0, 9).Draw(t, "other replicas"))
		s.in.Server.Spec.Users = []v1alpha1.User{{Name: "new"}}
		s.in.Server.Spec.Active.Enabled = true
		s.in.Server.Spec.Service.Type = corev1.ServiceTypeNodePort
		s.in.Exposed = config.PortRange(31000, 31099)
		s.in.ConfigFile = []byte("other")
		s.in.AdvertisedAddress = "192.0.2.99"
		s.in.ServiceIPFamilies = []corev1.IPFamily{corev1.IPv6Protocol}
		if diff := cmp.Diff(before, template(t, s.in)); diff != "" {
			t.Fatalf("the pod template changed:\n%s", diff)
		}
	})
}

func template(t *rapid.T, in resources.Inputs) string {
	text, err := json.Marshal(resources.Deployment(in).Spec.Template)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReloadsAreTakenOver: no change of the spec affects a setting that a running daemon can't reload.
func TestReloadsAreTakenOver(t *testing.T) {
	var first *config.Config
	for name, s := range samples() {
		c := resources.DaemonConfig(s.in, s.users)
		if first == nil {
			first = c
		}
		if changes := config.StaticChanges(first, c); len(changes) > 0 {
			t.Errorf("%s: %v", name, changes)
		}
	}
}

func TestDrainEndsBeforeTheGracePeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := minimal()
		seconds := rapid.Int64Range(10, 604800).Draw(t, "grace")
		s.in.Server.Spec.Template.TerminationGracePeriodSeconds = &seconds
		grace := resources.DaemonConfig(s.in, nil).Drain.Grace.Std().Seconds()
		if margin := float64(seconds) - grace; margin < 2 || margin > 10 {
			t.Fatalf("%v s of a grace period of %d s", grace, seconds)
		}
	})
}

func TestTrafficPolicyAndPeerCheck(t *testing.T) {
	const local, cluster = corev1.ServiceExternalTrafficPolicyLocal, corev1.ServiceExternalTrafficPolicyCluster
	proxy := []corev1.LoadBalancerIngress{{IP: "192.0.2.1", IPMode: new(corev1.LoadBalancerIPModeProxy)}}
	vip := []corev1.LoadBalancerIngress{{IP: "192.0.2.1", IPMode: new(corev1.LoadBalancerIPModeVIP)}}
	for _, test := range []struct {
		serviceType corev1.ServiceType
		declared    corev1.ServiceExternalTrafficPolicy
		replicas    int32
		ingress     []corev1.LoadBalancerIngress
		want        corev1.ServiceExternalTrafficPolicy
		check       config.PeerCheck
	}{
		{"", "", 1, nil, local, config.PeerCheckStrict},
		{"LoadBalancer", "", 0, vip, local, config.PeerCheckStrict},
		{"LoadBalancer", "", 1, proxy, local, config.PeerCheckRelaxed},
		{"LoadBalancer", "", 2, nil, cluster, config.PeerCheckRelaxed},
		{"LoadBalancer", cluster, 1, nil, cluster, config.PeerCheckRelaxed},
		{"NodePort", "", 1, proxy, local, config.PeerCheckStrict},
		{"NodePort", "", 3, nil, cluster, config.PeerCheckRelaxed},
		{"NodePort", local, 1, nil, local, config.PeerCheckStrict},
		{"ClusterIP", "", 3, nil, "", config.PeerCheckStrict},
		{"ClusterIP", cluster, 1, nil, "", config.PeerCheckStrict},
	} {
		t.Run(fmt.Sprintf("%s %s %d", test.serviceType, test.declared, test.replicas), func(t *testing.T) {
			server := minimal().in.Server
			server.Spec.Service.Type = test.serviceType
			server.Spec.Service.ExternalTrafficPolicy = test.declared
			server.Spec.Replicas = &test.replicas
			if got := resources.ExternalTrafficPolicy(server); got != test.want {
				t.Errorf("externalTrafficPolicy %q, want %q", got, test.want)
			}
			if got := resources.PeerCheck(server, test.ingress); got != test.check {
				t.Errorf("peer check %s, want %s", got, test.check)
			}
		})
	}
}

// An AWS load balancer with IP targets hides its clients unless it is configured to preserve their addresses.
func TestPeerCheckBehindIPTargets(t *testing.T) {
	const prefix = "service.beta.kubernetes.io/aws-load-balancer-"
	server := minimal().in.Server
	server.Spec.Service.Annotations = map[string]string{prefix + "nlb-target-type": "ip"}
	if got := resources.PeerCheck(server, nil); got != config.PeerCheckRelaxed {
		t.Errorf("hidden clients: %s", got)
	}
	server.Spec.Service.Annotations[prefix+"target-group-attributes"] = "preserve_client_ip.enabled=true"
	if got := resources.PeerCheck(server, nil); got != config.PeerCheckStrict {
		t.Errorf("preserved clients: %s", got)
	}
}

func TestSurge(t *testing.T) {
	modes := func(m ...corev1.PersistentVolumeAccessMode) []corev1.PersistentVolumeAccessMode { return m }
	claim := threeReplicas().in.Server
	for _, test := range []struct {
		name   string
		server *v1alpha1.FtpServer
		modes  []corev1.PersistentVolumeAccessMode
		want   int
	}{
		{"emptyDir", minimal().in.Server, nil, 1},
		{"template, ReadWriteOnce", rwoClaim().in.Server, nil, 0},
		{"claim that is missing", claim, nil, 0},
		{"claim, ReadWriteOnce", claim, modes(corev1.ReadWriteOnce), 0},
		{"claim, ReadWriteOncePod", claim, modes(corev1.ReadWriteOncePod), 0},
		{"claim, ReadWriteMany", claim, modes(corev1.ReadWriteMany), 1},
		{"claim, both", claim, modes(corev1.ReadWriteOnce, corev1.ReadWriteMany), 1},
		{"claim, ReadOnlyMany", claim, modes(corev1.ReadOnlyMany), 1},
	} {
		if got := resources.Surge(test.server, test.modes); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

// TestEndpointSliceFamilies: there is one slice for each family of the Service in which the pod has an address.
func TestEndpointSliceFamilies(t *testing.T) {
	const v4, v6 = corev1.IPv4Protocol, corev1.IPv6Protocol
	for _, test := range []struct {
		families []corev1.IPFamily
		ips      []string
		want     []string
	}{
		{nil, nil, nil},
		{nil, []string{"10.1.0.5", "fd00::5"}, []string{"files-0 10.1.0.5"}},
		{[]corev1.IPFamily{v4}, []string{"10.1.0.5", "fd00::5"}, []string{"files-0 10.1.0.5"}},
		{[]corev1.IPFamily{v6}, []string{"10.1.0.5", "fd00::5"}, []string{"files-0-ipv6 fd00::5"}},
		{[]corev1.IPFamily{v4, v6}, []string{"fd00::5", "10.1.0.5"}, []string{"files-0 fd00::5", "files-0-ipv4 10.1.0.5"}},
		{[]corev1.IPFamily{v4, v6}, []string{"10.1.0.5"}, []string{"files-0 10.1.0.5"}},
		{[]corev1.IPFamily{v4}, []string{"::ffff:10.1.0.5"}, []string{"files-0 10.1.0.5"}},
		{[]corev1.IPFamily{v6}, []string{"10.1.0.5", "not an address"}, nil},
	} {
		s := minimal()
		s.in.ServiceIPFamilies = test.families
		route := s.pods[0]
		route.IPs = test.ips
		var got []string
		for _, slice := range resources.EndpointSlices(s.in, route) {
			got = append(got, *slice.Name+" "+slice.Endpoints[0].Addresses[0])
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Service %v, pod %v: %v, want %v", test.families, test.ips, got, test.want)
		}
	}
}
