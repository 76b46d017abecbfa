package resources

import (
	"time"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// drain returns the settings for what the daemon does after SIGTERM. lameDuck is the time that the load balancer
// needs; 0 means the daemon's default.
func drain(server *v1alpha1.FtpServer, lameDuck time.Duration) config.Drain {
	d := config.Drain{Grace: drainGrace(server), Idle: duration(server.Spec.Drain.Idle)}
	switch {
	case server.Spec.Drain.LameDuck != "":
		d.LameDuck = new(duration(server.Spec.Drain.LameDuck))
	case lameDuck > 0:
		d.LameDuck = new(min(config.Duration(lameDuck), d.Grace/2))
	}
	return d
}

// drainGrace returns a time slightly shorter than the pod's grace period, so that the daemon can end the remaining
// sessions in good order before the kubelet kills it.
func drainGrace(server *v1alpha1.FtpServer) config.Duration {
	grace := time.Duration(GracePeriodSeconds(server)) * time.Second
	return config.Duration(grace - min(10*time.Second, grace/5))
}

// WarmUp returns spec.passive.warmUp; nil if it is not set.
func WarmUp(server *v1alpha1.FtpServer) *time.Duration {
	if server.Spec.Passive.WarmUp == "" {
		return nil
	}
	return new(time.Duration(duration(server.Spec.Passive.WarmUp)))
}
