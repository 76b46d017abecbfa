package status

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
)

// ReasonWithinLimits is the reason of the PortsWithinLimits condition if there is no finding. The other reasons are
// those of package loadbalancer.
const ReasonWithinLimits = "WithinLimits"

// portsWithinLimits is True if no known limit of the load balancer is exceeded. What the provider actually does shows
// in the address and in the load balancer's own events, so this condition never delays anything.
func portsWithinLimits(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionPortsWithinLimits
	findings := loadbalancer.Findings(o.LoadBalancer)
	if len(findings) == 0 {
		return condition(kind, metav1.ConditionTrue, ReasonWithinLimits, fmt.Sprintf(
			"no known limit is exceeded by %s", plural(o.LoadBalancer.ControlPorts+o.LoadBalancer.PassivePorts, "port")))
	}
	status, reason := metav1.ConditionTrue, findings[0].Reason
	var messages []string
	for _, f := range findings {
		if f.Severity == loadbalancer.Exceeded {
			status = metav1.ConditionFalse
		}
		messages = append(messages, f.Message)
	}
	return condition(kind, status, reason, strings.Join(messages, "; "))
}
