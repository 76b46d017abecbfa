package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the Available condition.
const (
	ReasonPodsReady   = "PodsReady"
	ReasonNoPodReady  = "NoPodReady"
	ReasonScaledToNil = "ScaledToZero"
)

// available is True if at least one pod takes sessions.
func available(o Observed) metav1.Condition {
	readyPods, trouble := 0, ""
	for i := range o.Pods {
		p := &o.Pods[i]
		if p.Terminating {
			continue
		}
		if p.Ready {
			readyPods++
		} else if trouble == "" && p.Trouble.Reason != "" {
			trouble = fmt.Sprintf("; pod %s: %s", p.Name, p.Trouble)
		}
	}
	switch {
	case readyPods > 0:
		return condition(v1alpha1.ConditionAvailable, metav1.ConditionTrue, ReasonPodsReady,
			plural(readyPods, "pod")+" of the server can take sessions")
	case o.Replicas == 0:
		return condition(v1alpha1.ConditionAvailable, metav1.ConditionFalse, ReasonScaledToNil,
			"spec.replicas is 0: raise it to serve")
	}
	return condition(v1alpha1.ConditionAvailable, metav1.ConditionFalse, ReasonNoPodReady,
		"no pod takes sessions yet"+trouble)
}
