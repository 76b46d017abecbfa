package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// reconciling returns the Reconciling condition while the operator or the cluster still works towards the declared
// state, or waits for something that is expected to happen. It returns nil once that state is reached, or while it
// can't be reached.
func reconciling(o Observed, ready metav1.Condition) *metav1.Condition {
	if ready.Status == metav1.ConditionTrue || stalled(o, ready) != nil {
		return nil
	}
	c := condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, ready.Reason, ready.Message)
	return &c
}
