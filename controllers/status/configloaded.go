package status

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the ConfigLoaded condition.
const (
	ReasonConfigLoaded    = "ConfigLoaded"
	ReasonConfigRejected  = "ConfigRejected"
	ReasonConfigUpdating  = "ConfigUpdating"
	ReasonPodsUnreachable = "PodsUnreachable"
	ReasonNoPods          = "NoPods"
)

// configLoaded is True if every running pod uses the newest configuration. Pods that can't be asked make it Unknown
// and nothing worse, since the operator may run where it can't reach pod addresses. A pod counts as out of reach only
// after a while; until then the condition is False, because it is not known which configuration the pod uses.
func configLoaded(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionConfigLoaded
	var updating, pending, unreachable []string
	why, loaded, ignored := "", 0, ""
	for i := range o.Pods {
		p := &o.Pods[i]
		switch {
		case !p.Running || p.Terminating:
		case p.Daemon == nil && p.DaemonPending:
			pending = append(pending, p.Name)
		case p.Daemon == nil:
			unreachable = append(unreachable, p.Name)
			if why == "" {
				why = p.DaemonError
			}
		case p.Daemon.ConfigHash == o.ConfigHash:
			loaded++
			if len(p.Daemon.Ignored) > 0 && ignored == "" {
				ignored = fmt.Sprintf("; pod %s runs an older daemon, which does not know and ignores %s", p.Name, clip(strings.Join(p.Daemon.Ignored, ", ")))
			}
		case p.Daemon.RejectedHash == o.ConfigHash && o.ConfigHash != "": // while ConfigHash is empty, no configuration has been written
			return condition(kind, metav1.ConditionFalse, ReasonConfigRejected, fmt.Sprintf(
				"pod %s refuses the new configuration and serves on with the old one: %s", p.Name, clip(p.Daemon.ConfigError)))
		default:
			updating = append(updating, p.Name)
		}
	}
	switch {
	case len(updating) > 0:
		return condition(kind, metav1.ConditionFalse, ReasonConfigUpdating,
			"waiting for the new configuration to reach "+list(updating))
	case len(pending) > 0:
		return condition(kind, metav1.ConditionFalse, ReasonConfigUpdating, "waiting for an answer of "+list(pending))
	case len(unreachable) > 0:
		return condition(kind, metav1.ConditionUnknown, ReasonPodsUnreachable, fmt.Sprintf(
			"the admin port of %s can't be reached, so what it serves is not known (%s); let the operator's pods reach port 8021 to see it",
			list(unreachable), clip(why)))
	case loaded == 0:
		return condition(kind, metav1.ConditionUnknown, ReasonNoPods, "no pod runs yet")
	}
	return condition(kind, metav1.ConditionTrue, ReasonConfigLoaded,
		fmt.Sprintf("%s with configuration %s%s", plural(loaded, "pod"), o.ConfigHash, ignored))
}

// Served reports whether a running pod, whose daemon has reported, serves what it should: the newest configuration
// (unless the daemon has refused it for good) and the address.
func Served(o Observed, p Pod) bool {
	if p.Daemon.RejectedHash == o.ConfigHash && o.ConfigHash != "" {
		return true
	}
	want := p.Advertises(&o)
	return p.Daemon.ConfigHash == o.ConfigHash && (want == "" || serves(p.Daemon.AdvertisedIP, want))
}
