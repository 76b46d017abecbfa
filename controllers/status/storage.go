package status

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Reasons of the StorageReady condition.
const (
	ReasonClaimBound       = "ClaimBound"
	ReasonClaimMissing     = "ClaimMissing"
	ReasonClaimPending     = "ClaimPending"
	ReasonClaimLost        = "ClaimLost"
	ReasonClaimTerminating = "ClaimTerminating"
	ReasonEphemeral        = "Ephemeral"
)

// storageReady: the volume claim is bound, or none is needed. A claim that is not bound yet is
// Unknown, not False: many wait for the first pod that uses them.
func storageReady(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionStorageReady
	s := o.Storage
	switch {
	case s.Claim == "":
		return condition(kind, metav1.ConditionTrue, ReasonEphemeral, "files live and die with their pod (emptyDir)")
	case !s.Found && s.Ours:
		return condition(kind, metav1.ConditionUnknown, ReasonClaimPending,
			fmt.Sprintf("PersistentVolumeClaim %s is being made", s.Claim))
	case !s.Found:
		return condition(kind, metav1.ConditionFalse, ReasonClaimMissing, fmt.Sprintf(
			"PersistentVolumeClaim %s does not exist: make it in namespace %s, or name another in spec.storage.persistentVolumeClaim.claimName",
			s.Claim, o.Server.Namespace))
	case s.Phase == string(corev1.ClaimLost):
		return condition(kind, metav1.ConditionFalse, ReasonClaimLost, fmt.Sprintf(
			"PersistentVolumeClaim %s lost its volume: restore the PersistentVolume or use another claim", s.Claim))
	case s.Terminating:
		return condition(kind, metav1.ConditionFalse, ReasonClaimTerminating, fmt.Sprintf(
			"PersistentVolumeClaim %s is being deleted, and with it the files, as soon as no pod uses it", s.Claim))
	case s.Phase != string(corev1.ClaimBound):
		return condition(kind, metav1.ConditionUnknown, ReasonClaimPending, fmt.Sprintf(
			"PersistentVolumeClaim %s is not bound yet; with a storage class that waits for the first consumer that comes once a pod is scheduled", s.Claim))
	}
	return condition(kind, metav1.ConditionTrue, ReasonClaimBound, fmt.Sprintf("PersistentVolumeClaim %s is bound", s.Claim))
}
