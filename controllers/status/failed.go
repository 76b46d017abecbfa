package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Failed returns the status of a server whose reconcile was ended by an error and is retried. It keeps what was known
// before, including observedGeneration.
func Failed(server *v1alpha1.FtpServer, message string, now metav1.Time) v1alpha1.FtpServerStatus {
	s := *server.Status.DeepCopy()
	message = "could not finish, trying again: " + message
	set(&s.Conditions, condition(v1alpha1.ConditionReady, metav1.ConditionFalse, string(ProblemFailed), message), server.Generation, now)
	set(&s.Conditions, condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, string(ProblemFailed), message), server.Generation, now)
	setOrRemove(&s.Conditions, v1alpha1.ConditionStalled, nil, server.Generation, now)
	s.Conditions = inOrder(s.Conditions)
	return s
}
