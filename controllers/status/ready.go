package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the Ready condition, in addition to those of the conditions and problems that it
// summarizes.
const (
	ReasonReady       = "Ready"
	ReasonProgressing = "Progressing"
)

// servesOn are the reasons of False conditions that do not affect Ready: the server works, but something should be
// fixed.
var servesOn = map[string]bool{
	ReasonNoUsers: true, ReasonCertificateEndsSoon: true, ReasonHostNotCovered: true,
	ReasonHostNameNotRefreshed: true, ReasonLoadBalancerPortError: true, ReasonSharedAddressConflict: true,
	ReasonClaimLarger: true,
}

// ready is True if the whole declared state is in place and is served. Otherwise it names the first cause that is bad
// or, if there is none, the first that is still in progress. Draining pods do not affect it. Neither does an Unknown
// ConfigLoaded: the operator may be unable to reach pods that work well.
func ready(o Observed, parts []metav1.Condition) metav1.Condition {
	var first *cause
	for _, c := range chain(o, parts) {
		if !patient[c.reason] {
			first = &c
			break
		}
		if first == nil {
			first = &c
		}
	}
	if first != nil {
		return condition(v1alpha1.ConditionReady, metav1.ConditionFalse, first.reason, first.message)
	}
	if o.Replicas == 0 {
		return condition(v1alpha1.ConditionReady, metav1.ConditionTrue, ReasonReady, "scaled to zero, as declared")
	}
	message := fmt.Sprintf("serving on port %d of %s with passive ports %s", o.Port, o.Address.Address, o.Plan.Exposed)
	if o.ScaledBy != "" {
		message += fmt.Sprintf("; %s scales the Deployment, to %d now, and spec.replicas does not count until it says the same",
			o.ScaledBy, o.Replicas)
	}
	return condition(v1alpha1.ConditionReady, metav1.ConditionTrue, ReasonReady, message)
}
