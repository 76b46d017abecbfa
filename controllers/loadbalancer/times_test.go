package loadbalancer_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
)

func TestTimesOf(t *testing.T) {
	const local, cluster = corev1.ServiceExternalTrafficPolicyLocal, corev1.ServiceExternalTrafficPolicyCluster
	ip := map[string]string{"service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip"}
	nlb := map[string]string{"service.beta.kubernetes.io/aws-load-balancer-type": "nlb"}
	for name, one := range map[string]struct {
		in               loadbalancer.Input
		policy           corev1.ServiceExternalTrafficPolicy
		warmUp, lameDuck time.Duration
	}{
		"unknown":                {loadbalancer.Input{Class: "metallb"}, cluster, 2 * time.Second, 0},
		"unknown, Local":         {loadbalancer.Input{Class: "metallb"}, local, 2 * time.Second, 15 * time.Second},
		"Azure probes each port": {loadbalancer.Input{ProviderID: "azure:///x"}, cluster, 15 * time.Second, 0},
		"Azure, Local":           {loadbalancer.Input{ProviderID: "azure:///x"}, local, 15 * time.Second, 15 * time.Second},
		"NLB":                    {loadbalancer.Input{Class: "service.k8s.aws/nlb"}, cluster, 35 * time.Second, 0},
		"NLB, Local":             {loadbalancer.Input{Class: "service.k8s.aws/nlb"}, local, 35 * time.Second, 35 * time.Second},
		"NLB to pods":            {loadbalancer.Input{Class: "service.k8s.aws/nlb", Annotations: ip}, cluster, 35 * time.Second, 35 * time.Second},
		"NLB of the provider":    {loadbalancer.Input{Annotations: nlb}, cluster, 95 * time.Second, 0},
		"the same, Local":        {loadbalancer.Input{Annotations: nlb}, local, 35 * time.Second, 35 * time.Second},
		"nlb by the controller":  {loadbalancer.Input{Class: "service.k8s.aws/nlb", Annotations: nlb}, cluster, 35 * time.Second, 0},
		"classic, Local":         {loadbalancer.Input{ProviderID: "aws:///x"}, local, 2 * time.Second, 65 * time.Second},
		"Google, Local":          {loadbalancer.Input{ProviderID: "gce://x"}, local, 2 * time.Second, 30 * time.Second},
		"Google":                 {loadbalancer.Input{ProviderID: "gce://x"}, cluster, 2 * time.Second, 0},
	} {
		one.in.Type = corev1.ServiceTypeLoadBalancer
		if got := loadbalancer.TimesOf(one.in, one.policy); got.WarmUp != one.warmUp || got.LameDuck != one.lameDuck {
			t.Errorf("%s: %+v, want %v and %v", name, got, one.warmUp, one.lameDuck)
		}
	}
	if got := loadbalancer.TimesOf(loadbalancer.Input{Type: corev1.ServiceTypeNodePort, ProviderID: "azure:///x"}, local); got.WarmUp != 2*time.Second {
		t.Errorf("a NodePort has no load balancer: %+v", got)
	}
}
