package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Reasons of the Ready condition, besides those of the conditions and problems it sums up.
const (
	ReasonReady       = "Ready"
	ReasonProgressing = "Progressing"
)

// servesOn are the reasons of conditions that are False and hold nothing up: the server serves, and there is
// something to mend.
var servesOn = map[string]bool{
	ReasonNoUsers: true, ReasonCertificateEndsSoon: true, ReasonHostNotCovered: true,
	ReasonHostNameNotRefreshed: true, ReasonLoadBalancerPortError: true, ReasonSharedAddressConflict: true,
	ReasonClaimLarger: true,
}

// ready: the whole declared state is in place and serving. Else it names the first cause that is known to be bad
// and, if there is none, the first thing that is still to come. Draining pods do not hold it up. An
// unknown ConfigLoaded does not either: the operator may be unable to reach pods that serve well.
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
