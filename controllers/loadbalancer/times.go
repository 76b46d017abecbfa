package loadbalancer

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Times are the times that a load balancer needs to follow what happens to a pod. They are derived from the default
// intervals and thresholds of the health checks of each kind, plus a few seconds for the nodes.
type Times struct {
	// WarmUp is the time for which a new pod's passive ports are published before its control port is. Load balancers
	// that check each port separately send nothing to a port before it has passed its check.
	WarmUp time.Duration
	// LameDuck is the time for which a pod that drains still takes new sessions, since the load balancer sends it
	// some until a check has failed often enough. 0 means that routing follows the EndpointSlices, and the daemon's
	// default is ample.
	LameDuck time.Duration
}

const (
	// nodesApply is the time in which the nodes apply the slices: kube-proxy does so at most once a second.
	nodesApply = 2 * time.Second
	// azureProbes covers 2 probes of each port, 5 s apart.
	azureProbes = 15 * time.Second
	// awsNetworkChecks covers the 3 checks of each port (with policy Local: 2 checks of the node), 10 s apart, that
	// the AWS Load Balancer Controller configures.
	awsNetworkChecks = 35 * time.Second
	// awsProviderChecks covers the 3 checks of each port, 30 s apart, that cloud-provider-aws configures where the
	// AWS Load Balancer Controller is not involved. With policy Local it configures the same as that controller.
	awsProviderChecks = 95 * time.Second
	// awsClassicChecks covers 6 checks of the node, 10 s apart, the last of which takes 5 s (cloud-provider-aws).
	awsClassicChecks = 65 * time.Second
	// googleChecks covers 3 checks of the node, 8 s apart (ingress-gce and cloud-provider-gcp). One check is enough
	// to come up.
	googleChecks = 30 * time.Second
	// usualChecks covers the checks of most other load balancers, which are 5 to 10 s apart.
	usualChecks = 15 * time.Second
)

// TimesOf returns the times for a Service with that external traffic policy.
func TimesOf(in Input, policy corev1.ServiceExternalTrafficPolicy) Times {
	local := policy == corev1.ServiceExternalTrafficPolicyLocal
	times := Times{WarmUp: nodesApply}
	if local {
		times.LameDuck = usualChecks
	}
	if in.Type != corev1.ServiceTypeLoadBalancer {
		return times
	}
	switch Detect(in) {
	case Azure:
		times.WarmUp = azureProbes
	case AWSNetwork:
		times.WarmUp = awsNetworkChecks
		if in.Class == "" && in.Annotations[awsType] == "nlb" && !local {
			times.WarmUp = awsProviderChecks
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

// ipTargets reports whether an AWS Network Load Balancer sends traffic to pods instead of nodes.
func ipTargets(annotations map[string]string) bool {
	return annotations[awsType] == "nlb-ip" || annotations[awsTargetType] == "ip"
}
