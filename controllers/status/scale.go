package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// These are the reasons of the ScaleAsDeclared condition.
const (
	ReasonAsDeclared      = "AsDeclared"
	ReasonScaledElsewhere = "ScaledElsewhere"
)

// autoscaler is the field manager under which a HorizontalPodAutoscaler scales.
const autoscaler = "kube-controller-manager"

// scaleAsDeclared is True if spec.replicas is the number of pods. It is False after kubectl or an autoscaler has
// scaled the Deployment, which the operator does not revert.
func scaleAsDeclared(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionScaleAsDeclared
	declared := resources.Replicas(o.Server)
	if o.ScaledBy == "" {
		return condition(kind, metav1.ConditionTrue, ReasonAsDeclared, fmt.Sprintf("spec.replicas counts, which is %d", declared))
	}
	namespace, deployment := o.Server.Namespace, resources.DeploymentName(o.Server)
	message := fmt.Sprintf("%s scaled the Deployment to %d, and spec.replicas (%d) does not count until both say the same. ",
		o.ScaledBy, o.Replicas, declared)
	if o.ScaledBy == autoscaler {
		message += "Let the HorizontalPodAutoscaler's scaleTargetRef name the FtpServer in place of the Deployment, and then take the Deployment back: "
	} else {
		message += "To take it back: "
	}
	return condition(kind, metav1.ConditionFalse, ReasonScaledElsewhere, message+fmt.Sprintf(
		"kubectl --namespace %s scale deployment %s --replicas=%d. To keep the number: kubectl --namespace %s scale ftpserver %s --replicas=%d",
		namespace, deployment, declared, namespace, o.Server.Name, o.Replicas))
}
