package resources_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func quantity(text string) *resource.Quantity {
	q := resource.MustParse(text)
	return &q
}

func mustYAML(t *testing.T, object any) string {
	t.Helper()
	text, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ftps is a server with explicit and implicit TLS, behind a load balancer that reports clients' addresses, and with
// limits for clients.
func ftps() sample {
	s := newSample(v1alpha1.FtpServerSpec{
		Replicas: new(int32(2)),
		Hosts:    []v1alpha1.HostPattern{"ftp.example.com", "*.partners.example.com"},
		Service: v1alpha1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, Port: 21,
			ProxyProtocol: &v1alpha1.ProxyProtocolSpec{Mode: v1alpha1.ProxyProtocolRequire, Trusted: []v1alpha1.Network{"10.0.0.0/8", "fd00::7"}},
		},
		Passive: v1alpha1.PassiveSpec{
			AdvertisedAddress: "203.0.113.10",
			Overrides:         []v1alpha1.AddressOverride{{Clients: []v1alpha1.Network{"10.0.0.0/8"}, Address: "ftp.example.internal"}},
		},
		Active: v1alpha1.ActiveSpec{Enabled: true, SourcePort: 20},
		TLS: &v1alpha1.TLSSpec{
			Mode: v1alpha1.TLSRequired, Data: v1alpha1.DataProtectionOptional, SecretName: "ftp-tls",
			ExtraCertificates: []v1alpha1.ExtraCertificate{{SecretName: "partners-tls", Hosts: []v1alpha1.HostPattern{"*.partners.example.com"}}},
			MinVersion:        v1alpha1.TLS13,
			ClientCA:          &v1alpha1.ClientCASpec{SecretName: "partners-ca", Mode: v1alpha1.ClientAuthOptional},
			SessionReuse:      v1alpha1.SessionReuseRequire,
			Implicit:          &v1alpha1.ImplicitTLSSpec{Enabled: true, NodePort: new(int32(30082))},
			AllowCCC:          true, AllowTruncation: true,
		},
		Users: []v1alpha1.User{{
			Name: "bank", Access: v1alpha1.AccessReadWrite, Rights: []v1alpha1.Right{v1alpha1.RightList, v1alpha1.RightCreate},
			Quota: v1alpha1.Quota{Bytes: quantity("10Gi"), Files: 1000},
		}},
		Anonymous: v1alpha1.AnonymousSpec{Enabled: true, Rights: []v1alpha1.Right{v1alpha1.RightCreate}, Quota: v1alpha1.Quota{Bytes: quantity("500M")}},
		Limits: v1alpha1.LimitsSpec{
			MaxSessions: 500, MaxSessionsPerUser: 20, MaxSessionsPerAddress: 10, MaxPreLogin: 50,
			Bandwidth: v1alpha1.BandwidthSpec{
				Session: v1alpha1.RatesSpec{Up: quantity("1Mi"), Down: quantity("2Mi")},
				User:    v1alpha1.RatesSpec{Up: quantity("4Mi")},
				Server:  v1alpha1.RatesSpec{Down: quantity("100M")},
			},
			Timeouts: v1alpha1.TimeoutsSpec{Idle: "15m", Login: "30s", Data: "2m", Handshake: "5s"},
		},
		Bans: v1alpha1.BansSpec{
			Enabled: new(true), Failures: 5, Window: "15m", Duration: "10m", MaxDuration: "24h",
			Allow: []v1alpha1.Network{"192.0.2.0/24"},
		},
		Storage: v1alpha1.StorageSpec{
			PersistentVolumeClaim: &v1alpha1.ClaimReference{ClaimName: "shared"},
			Durability:            v1alpha1.DurabilityNone, PartialUploads: v1alpha1.PartialUploadsKeep,
		},
	})
	s.in.ClaimAccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	s.in.AdvertisedAddress = "203.0.113.10"
	s.in.Certificates = []resources.Certificate{
		{CertPEM: []byte("certificate of ftp-tls"), KeyPEM: []byte("key of ftp-tls")},
		{Extra: "partners-tls", Hosts: []string{"*.partners.example.com"}, CertPEM: []byte("certificate of partners-tls"), KeyPEM: []byte("key of partners-tls")},
	}
	s.in.ClientCA = []byte("authorities of partners-ca")
	s.users = []config.User{resources.DaemonUser(s.in.Server.Spec.Users[0], bcryptHash)}
	s.pods = []resources.PodRoute{pod("files-0", "10.1.0.5", config.PortRange(30000, 30001))}
	return s
}

// TestTLSOfTheDaemon: which settings of spec.tls reach the daemon, and which do not.
func TestTLSOfTheDaemon(t *testing.T) {
	tls := func(change func(*resources.Inputs)) *config.TLS {
		s := ftps()
		change(&s.in)
		return resources.DaemonConfig(s.in, nil).TLS
	}
	declared := func(change func(*v1alpha1.TLSSpec)) *config.TLS {
		return tls(func(in *resources.Inputs) { change(in.Server.Spec.TLS) })
	}
	if got := tls(func(in *resources.Inputs) { in.Server.Spec.TLS = nil }); got != nil {
		t.Errorf("not declared: %+v", got)
	}
	if got := declared(func(s *v1alpha1.TLSSpec) { s.Mode = v1alpha1.TLSDisabled }); got != nil {
		t.Errorf("disabled: %+v", got)
	}
	if got := tls(func(in *resources.Inputs) { in.Certificates = nil }); got != nil {
		t.Errorf("without a certificate: %+v", got)
	}
	if got := tls(func(in *resources.Inputs) { in.ClientCA = nil }); got.ClientAuth.Mode != "" {
		t.Errorf("without authorities: clients must show certificates all the same: %+v", got.ClientAuth)
	}
	if got := declared(func(s *v1alpha1.TLSSpec) { s.Implicit.Enabled = false }); got.ImplicitListen != nil {
		t.Errorf("implicit TLS disabled: listening on %v", got.ImplicitListen)
	}
	for written, want := range map[v1alpha1.SessionReuse]config.SessionReuse{
		v1alpha1.SessionReuseDisabled: config.SessionReuseOff,
		v1alpha1.SessionReusePrefer:   config.SessionReusePrefer, v1alpha1.SessionReuseRequire: config.SessionReuseRequire,
	} {
		if got := declared(func(s *v1alpha1.TLSSpec) { s.SessionReuse = written }); got.SessionReuse != want {
			t.Errorf("session reuse %s: %s", written, got.SessionReuse)
		}
	}
	for _, test := range []struct {
		mode        v1alpha1.TLSMode
		data        v1alpha1.DataProtection
		login, want config.Policy
	}{
		{"", "", config.PolicyRequired, config.PolicyRequired},
		{v1alpha1.TLSRequired, "", config.PolicyRequired, config.PolicyRequired},
		{v1alpha1.TLSRequired, v1alpha1.DataProtectionOptional, config.PolicyRequired, config.PolicyOptional},
		{v1alpha1.TLSOptional, "", config.PolicyOptional, config.PolicyOptional},
		{v1alpha1.TLSOptional, v1alpha1.DataProtectionRequired, config.PolicyOptional, config.PolicyRequired},
	} {
		got := declared(func(s *v1alpha1.TLSSpec) { s.Mode, s.Data = test.mode, test.data })
		if got.Login != test.login || got.Data != test.want {
			t.Errorf("mode %q, data %q: login %s, data %s; want %s, %s", test.mode, test.data, got.Login, got.Data, test.login, test.want)
		}
	}
}

// TestPeerCheckIsAboutAddresses: the PROXY protocol makes hidden addresses known again. A required resumption of
// sessions identifies the client of a data connection, but does not prove that it comes from the same address.
func TestPeerCheckIsAboutAddresses(t *testing.T) {
	for _, test := range []struct {
		replicas     int32
		proxy, reuse bool
		want         config.PeerCheck
	}{
		{1, false, false, config.PeerCheckStrict},
		{2, false, false, config.PeerCheckRelaxed},
		{2, true, false, config.PeerCheckStrict},
		{2, false, true, config.PeerCheckRelaxed},
	} {
		s := ftps()
		s.in.Server.Spec.Replicas = &test.replicas
		if !test.proxy {
			s.in.Server.Spec.Service.ProxyProtocol = nil
		}
		if !test.reuse {
			s.in.Server.Spec.TLS.SessionReuse = v1alpha1.SessionReusePrefer
		}
		c := resources.DaemonConfig(s.in, nil)
		c.SetDefaults()
		if c.Passive.PeerCheck != test.want {
			t.Errorf("%+v: %s", test, c.Passive.PeerCheck)
		}
		if hidden := c.AddressesHidden(); hidden != (test.want == config.PeerCheckRelaxed) {
			t.Errorf("%+v: addresses hidden: %v", test, hidden)
		}
	}
}

// TestRevision: a changed file changes the configuration, so that pods are notified and can be asked whether they
// loaded it.
func TestRevision(t *testing.T) {
	revision := func(change func(*resources.Inputs)) string {
		s := ftps()
		change(&s.in)
		return resources.DaemonConfig(s.in, nil).TLS.Revision
	}
	seen := map[string]string{}
	for what, change := range map[string]func(*resources.Inputs){
		"nothing":     func(*resources.Inputs) {},
		"certificate": func(in *resources.Inputs) { in.Certificates[0].CertPEM = []byte("renewed") },
		"key":         func(in *resources.Inputs) { in.Certificates[0].KeyPEM = []byte("renewed") },
		"extra":       func(in *resources.Inputs) { in.Certificates[1].CertPEM = []byte("renewed") },
		"swapped": func(in *resources.Inputs) {
			a, b := &in.Certificates[0], &in.Certificates[1]
			a.CertPEM, b.CertPEM, a.KeyPEM, b.KeyPEM = b.CertPEM, a.CertPEM, b.KeyPEM, a.KeyPEM
		},
		"authorities": func(in *resources.Inputs) { in.ClientCA = []byte("renewed") },
	} {
		r := revision(change)
		if other, taken := seen[r]; taken || r == "" {
			t.Errorf("the revision %q does not tell %q from %q", r, what, other)
		}
		seen[r] = what
		if again := revision(change); again != r {
			t.Errorf("%s: revision %q, and then %q", what, r, again)
		}
	}
}

// TestTLSRollsNoPods: adding, changing and removing TLS, its ports and its certificates does not change the pod
// template.
func TestTLSRollsNoPods(t *testing.T) {
	template := func(change func(*resources.Inputs)) string {
		s := ftps()
		change(&s.in)
		return mustYAML(t, resources.Deployment(s.in).Spec.Template)
	}
	want := template(func(*resources.Inputs) {})
	for what, change := range map[string]func(*resources.Inputs){
		"TLS goes":            func(in *resources.Inputs) { in.Server.Spec.TLS, in.Certificates, in.ClientCA = nil, nil, nil },
		"another Secret":      func(in *resources.Inputs) { in.Server.Spec.TLS.SecretName = "other" },
		"implicit TLS goes":   func(in *resources.Inputs) { in.Server.Spec.TLS.Implicit = nil },
		"another certificate": func(in *resources.Inputs) { in.Certificates[0].CertPEM = []byte("renewed") },
		"limits go": func(in *resources.Inputs) {
			in.Server.Spec.Limits, in.Server.Spec.Bans = v1alpha1.LimitsSpec{}, v1alpha1.BansSpec{}
		},
		"PROXY protocol goes": func(in *resources.Inputs) { in.Server.Spec.Service.ProxyProtocol = nil },
		"durability":          func(in *resources.Inputs) { in.Server.Spec.Storage.Durability = v1alpha1.DurabilityFsync },
	} {
		if got := template(change); got != want {
			t.Errorf("%s: the pod template changes:\n%s", what, got)
		}
	}
}

// TestCertificatesStayInTheSecret: no child but the config Secret contains keys.
func TestCertificatesStayInTheSecret(t *testing.T) {
	s := ftps()
	for _, c := range s.children(t) {
		if c.file != "secret" && strings.Contains(mustYAML(t, c.apply), "key of ") {
			t.Errorf("%s holds a key", c.file)
		}
	}
	if strings.Contains(string(s.configFile(t)), "key of ") {
		t.Error("the configuration file holds a key")
	}
	s.in.ConfigFile = s.configFile(t)
	data := resources.ConfigSecret(s.in).Data
	for _, c := range resources.DaemonConfig(s.in, nil).TLS.Certificates {
		for _, file := range []string{c.CertFile, c.KeyFile} {
			if len(data[file[strings.LastIndex(file, "/")+1:]]) == 0 {
				t.Errorf("the configuration names %s, which is not in the Secret", file)
			}
		}
	}
	s.in.Server.Spec.TLS.Mode = v1alpha1.TLSDisabled
	if data := resources.ConfigSecret(s.in).Data; len(data) != 1 {
		t.Errorf("with TLS disabled the Secret still holds %d files", len(data))
	}
}

// TestNodePortsThatAreAskedForComeFirst: requested node ports come first, since the API server assigns node ports in
// the order of the list.
func TestNodePortsThatAreAskedForComeFirst(t *testing.T) {
	for _, control := range []*int32{nil, new(int32(30021))} {
		for _, implicit := range []*int32{nil, new(int32(30082))} {
			s := ftps()
			s.in.Server.Spec.Service.Type = corev1.ServiceTypeNodePort
			s.in.Server.Spec.Service.NodePort = control
			s.in.Server.Spec.TLS.Implicit.NodePort = implicit
			ports := resources.Service(s.in).Spec.Ports
			open := false
			for _, p := range ports {
				if open && p.NodePort != nil {
					t.Errorf("%s asks for node port %d after one that asks for none", *p.Name, *p.NodePort)
				}
				open = open || p.NodePort == nil
			}
			if i := slices.IndexFunc(ports, func(p coreac.ServicePortApplyConfiguration) bool { return *p.Name == "ftps" }); i < 0 || *ports[i].Port != 990 {
				t.Errorf("no port ftps 990: %v", ports)
			}
		}
	}
}
