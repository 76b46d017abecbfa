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

// ready: the whole declared state is in place and serving. It names the first thing that is not,
// in the order in which they must come about. Draining pods do not hold it up. An unknown
// ConfigLoaded does not either: the operator may be unable to reach pods that serve well.
func ready(o Observed, parts []metav1.Condition) metav1.Condition {
	no := func(reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)
	}
	if len(o.Problems) > 0 {
		p := worst(o.Problems)
		return no(string(p.Kind), p.Object+": "+p.Message)
	}
	by := map[string]metav1.Condition{}
	for _, c := range parts {
		by[c.Type] = c
	}
	for _, kind := range []string{
		v1alpha1.ConditionUsersReady, v1alpha1.ConditionCertificateReady, v1alpha1.ConditionStorageReady,
		v1alpha1.ConditionPassivePortsExposed, v1alpha1.ConditionPassivePortsAssigned,
	} {
		if c := by[kind]; c.Status != metav1.ConditionTrue {
			return no(c.Reason, c.Message)
		}
	}
	if reason, message := rollout(o); reason != "" {
		return no(reason, message)
	}
	if c := by[v1alpha1.ConditionAddressResolved]; c.Status != metav1.ConditionTrue {
		return no(c.Reason, c.Message)
	}
	if c := by[v1alpha1.ConditionConfigLoaded]; c.Status == metav1.ConditionFalse {
		return no(c.Reason, c.Message)
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

// rollout returns a reason and message while the pods are not as the Deployment declares.
func rollout(o Observed) (reason, message string) {
	d := o.Deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		return ReasonProgressing, "the Deployment is being rolled out"
	}
	trouble := podTrouble(o)
	if c := deploymentCondition(d, "ReplicaFailure"); isTrue(c) {
		return c.Reason, "the Deployment can't make its pods: " + c.Message
	}
	if c := deploymentCondition(d, "Progressing"); c != nil && c.Reason == reasonDeadline {
		return c.Reason, c.Message + trouble
	}
	st := d.Status
	switch {
	case st.UpdatedReplicas < o.Replicas:
		return ReasonProgressing, fmt.Sprintf("%d of %d pods are updated%s", st.UpdatedReplicas, o.Replicas, trouble)
	case st.Replicas > st.UpdatedReplicas:
		return ReasonProgressing, fmt.Sprintf("%s of the old template still to be replaced%s",
			plural(int(st.Replicas-st.UpdatedReplicas), "pod"), trouble)
	case st.Replicas > o.Replicas:
		return ReasonProgressing, fmt.Sprintf("%s to be removed", plural(int(st.Replicas-o.Replicas), "pod"))
	case st.AvailableReplicas < o.Replicas:
		return ReasonProgressing, fmt.Sprintf("%d of %d pods are available%s", st.AvailableReplicas, o.Replicas, trouble)
	}
	return "", ""
}

// reasonDeadline is the reason with which a Deployment says that its rollout got stuck.
const reasonDeadline = "ProgressDeadlineExceeded"

func podTrouble(o Observed) string {
	for i := range o.Pods {
		if p := &o.Pods[i]; !p.Terminating && p.Trouble != "" {
			return fmt.Sprintf("; pod %s: %s", p.Name, p.Trouble)
		}
	}
	return ""
}

// worst is the first lasting problem, else the first.
func worst(problems []Problem) Problem {
	for _, p := range problems {
		if p.lasting() {
			return p
		}
	}
	return problems[0]
}
