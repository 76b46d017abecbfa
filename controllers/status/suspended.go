package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the Suspended condition.
const (
	ReasonSuspended    = "Suspended"
	ReasonNotSuspended = "NotSuspended"
)

func notSuspended() metav1.Condition {
	return condition(v1alpha1.ConditionSuspended, metav1.ConditionFalse, ReasonNotSuspended, "the server is reconciled")
}

// Suspended returns the status of a server with spec.suspend. Everything that was known stays, so observedGeneration
// shows that the newer spec was not applied, and Suspended says why.
func Suspended(server *v1alpha1.FtpServer, now metav1.Time) v1alpha1.FtpServerStatus {
	s := *server.Status.DeepCopy()
	set(&s.Conditions, condition(v1alpha1.ConditionSuspended, metav1.ConditionTrue, ReasonSuspended,
		"spec.suspend is set: nothing is changed until it is unset; the pods serve on"), server.Generation, now)
	s.Conditions = inOrder(s.Conditions)
	return s
}
