package loadbalancer

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Times are how long a load balancer takes to follow what happens to a pod. They follow from the intervals and
// thresholds of the health checks that each kind has unless it is told otherwise, with a few seconds for the nodes.
type Times struct {
	// Settle is how long a new pod's passive ports are published before its control port is. Load balancers that
	// check each port by itself send nothing to a port before it has passed.
	Settle time.Duration
	// LameDuck is how long a pod that drains still takes new sessions, which the load balancer sends to it until a
	// check has failed often enough; 0: routing follows the EndpointSlices, and the daemon's own default is ample.
	LameDuck time.Duration
}

const (
	// nodesSettle is the time in which the nodes follow the slices: kube-proxy at most once a second.
	nodesSettle = 2 * time.Second
	// azureProbes are 2 probes of each port, 5 s apart.
	azureProbes = 15 * time.Second
	// awsNetworkChecks are 3 checks of each port (with policy Local: 2 of the node), 10 s apart, that the AWS Load Balancer
	// Controller asks for.
	awsNetworkChecks = 35 * time.Second
	// awsProviderChecks are 3 checks of each port, 30 s apart, that cloud-provider-aws asks for where that controller has no
	// part in it. With policy Local it asks for the same as the controller.
	awsProviderChecks = 95 * time.Second
	// awsClassicChecks are 6 checks of the node, 10 s apart, the last of which takes 5 s (cloud-provider-aws).
	awsClassicChecks = 65 * time.Second
	// googleChecks are 3 checks of the node, 8 s apart (ingress-gce and cloud-provider-gcp). One is enough to come up.
	googleChecks = 30 * time.Second
	// usualChecks are those of most others, 5 to 10 s apart.
	usualChecks = 15 * time.Second
)

// TimesOf are the times of a Service of that external traffic policy.
func TimesOf(in Input, policy corev1.ServiceExternalTrafficPolicy) Times {
	local := policy == corev1.ServiceExternalTrafficPolicyLocal
	times := Times{Settle: nodesSettle}
	if local {
		times.LameDuck = usualChecks
	}
	if in.Type != corev1.ServiceTypeLoadBalancer {
		return times
	}
	switch Detect(in) {
	case Azure:
		times.Settle = azureProbes
	case AWSNetwork:
		times.Settle = awsNetworkChecks
		if in.Class == "" && in.Annotations[awsType] == "nlb" && !local {
			times.Settle = awsProviderChecks
		}
		if local || ipTargets(in.Annotations) {
			times.LameDuck = awsNetworkChecks
		}
	case AWSClassic:
		if local {
			times.LameDuck = awsClassicChecks
		}
	case GoogleExternal, GoogleInternal:
		if local {
			times.LameDuck = googleChecks
		}
	}
	return times
}

// ipTargets reports whether an AWS Network Load Balancer sends to pods, and not to nodes.
func ipTargets(annotations map[string]string) bool {
	return annotations[awsType] == "nlb-ip" || annotations[awsTargetType] == "ip"
}
