package resources

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// localLameDuck is the lame duck where load balancers have to find out by health checks that a node
// has no ready pod any more: those of the usual ones come every 5 to 10 seconds. Elsewhere routing
// follows the EndpointSlices, and the daemon's default is ample.
const localLameDuck = 15 * time.Second

// drain is what SIGTERM begins.
func drain(server *v1alpha1.FtpServer) config.Drain {
	d := config.Drain{Grace: drainGrace(server), Idle: duration(server.Spec.Drain.Idle)}
	switch {
	case server.Spec.Drain.LameDuck != "":
		d.LameDuck = new(duration(server.Spec.Drain.LameDuck))
	case ExternalTrafficPolicy(server) == corev1.ServiceExternalTrafficPolicyLocal:
		d.LameDuck = new(min(config.Duration(localLameDuck), d.Grace/2))
	}
	return d
}

// drainGrace is a little less than the pod's grace period, so that the daemon ends what still
// runs in good order before the kubelet kills it.
func drainGrace(server *v1alpha1.FtpServer) config.Duration {
	grace := time.Duration(GracePeriodSeconds(server)) * time.Second
	return config.Duration(grace - min(10*time.Second, grace/5))
}
