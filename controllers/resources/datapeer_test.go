package resources_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// TestDataPeerReason: the check of data connections, and its reason, for each way in which clients may connect.
func TestDataPeerReason(t *testing.T) {
	clusterPolicy := func(s *v1alpha1.FtpServer) {
		s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
	}
	bound := func(s *v1alpha1.FtpServer) {
		s.Spec.TLS = &v1alpha1.TLSSpec{Mode: v1alpha1.TLSRequired, SecretName: "a", SessionReuse: v1alpha1.SessionReuseRequire}
	}
	proxied := func(s *v1alpha1.FtpServer) {
		s.Spec.Service.ProxyProtocol = &v1alpha1.ProxyProtocolSpec{Trusted: []v1alpha1.Network{"10.0.0.0/8"}}
	}
	type changes []func(*v1alpha1.FtpServer)
	tests := map[string]struct {
		changes changes
		ipMode  corev1.LoadBalancerIPMode
		peer    config.DataPeer
		reason  string
	}{
		"Local":               {nil, "", config.DataPeerStrict, "(externalTrafficPolicy Local)"},
		"in the cluster":      {changes{func(s *v1alpha1.FtpServer) { s.Spec.Service.Type = corev1.ServiceTypeClusterIP }}, "", config.DataPeerStrict, "clients inside the cluster"},
		"Cluster":             {changes{clusterPolicy}, "", config.DataPeerRelaxed, "service.proxyProtocol tells their own"},
		"Cluster, PROXY":      {changes{clusterPolicy, proxied}, "", config.DataPeerStrict, "the PROXY protocol tells"},
		"Cluster, TLS":        {changes{clusterPolicy, bound}, "", config.DataPeerTLSSession, "hides clients behind addresses of nodes, but every data connection must resume"},
		"Local, TLS":          {changes{bound}, "", config.DataPeerStrict, "as well"},
		"a proxying balancer": {nil, corev1.LoadBalancerIPModeProxy, config.DataPeerRelaxed, "the load balancer makes connections of its own"},
		"files in clear text": {changes{clusterPolicy, bound, func(s *v1alpha1.FtpServer) { s.Spec.TLS.Data = v1alpha1.DataProtectionOptional }}, "", config.DataPeerRelaxed, "with tls.data Required"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := minimal().in
			for _, change := range tt.changes {
				change(in.Server)
			}
			if in.Server.Spec.TLS != nil {
				in.Certificates = []resources.Certificate{{CertPEM: []byte("cert"), KeyPEM: []byte("key")}}
			}
			if tt.ipMode != "" {
				in.ServiceIngress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1", IPMode: &tt.ipMode}}
			}
			c := resources.DaemonConfig(in, nil)
			reason := resources.DataPeerReason(in, c)
			if c.DataPeer() != tt.peer || !strings.Contains(reason, tt.reason) {
				t.Errorf("%s: %s; want %s: …%s…", c.DataPeer(), reason, tt.peer, tt.reason)
			}
		})
	}
}

// TestOverridesByClusterIP: overrides by cluster IP are present as soon as there is a cluster IP, each in its place.
func TestOverridesByClusterIP(t *testing.T) {
	in := minimal().in
	in.Server.Spec.Passive.Overrides = []v1alpha1.AddressOverride{
		{Clients: []v1alpha1.Network{"10.244.0.0/16"}, AddressFrom: v1alpha1.OverrideFromClusterIP},
		{Clients: []v1alpha1.Network{"10.0.0.0/8"}, Address: "10.0.0.10"},
	}
	named := func() string {
		var all []string
		for _, o := range resources.DaemonConfig(in, nil).Passive.Overrides {
			all = append(all, o.Clients[0].String()+"="+o.Address)
		}
		return strings.Join(all, " ")
	}
	if got := named(); got != "10.0.0.0/8=10.0.0.10" {
		t.Errorf("without a cluster IP: %s", got)
	}
	in.ClusterIP = "10.96.0.7"
	if got := named(); got != "10.244.0.0/16=10.96.0.7 10.0.0.0/8=10.0.0.10" {
		t.Errorf("with a cluster IP: %s", got)
	}
}
