package status

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the StorageReady condition.
const (
	ReasonClaimBound       = "ClaimBound"
	ReasonClaimMissing     = "ClaimMissing"
	ReasonClaimPending     = "ClaimPending"
	ReasonClaimLost        = "ClaimLost"
	ReasonClaimTerminating = "ClaimTerminating"
	ReasonEphemeral        = "Ephemeral"
	// ReasonStorageClassMissing means that the claim waits for a volume that no StorageClass provisions.
	ReasonStorageClassMissing = "StorageClassMissing"
	// ReasonVolumeNotProvisioned means that the StorageClass has provisioned no volume for longer than that takes.
	ReasonVolumeNotProvisioned = "VolumeNotProvisioned"
	// ReasonClaimGrowthRefused means that the claim can't be made as large as declared.
	ReasonClaimGrowthRefused = "ClaimGrowthRefused"
	// ReasonClaimLarger means that the claim is larger than declared, and a volume can't shrink. The claim is used as
	// it is.
	ReasonClaimLarger = "ClaimLarger"
	// ReasonClaimImmutable means that the claim holds files and differs from the spec in fields that can't be
	// changed.
	ReasonClaimImmutable = "ClaimImmutable"
	// ReasonClaimLeftOver means that a claim that was never bound takes the place of the declared one.
	ReasonClaimLeftOver = "ClaimLeftOver"
)

// provisioningPatience is the time that the provisioning of a volume normally takes at most.
const provisioningPatience = 3 * time.Minute

// storageReady is True if the claim is bound or none is needed. A claim that is not bound yet makes it Unknown, not
// False: many claims wait for the first pod that uses them.
func storageReady(o Observed, now time.Time) metav1.Condition {
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
	case s.Refusal.Reason != "":
		return condition(kind, metav1.ConditionFalse, s.Refusal.Reason, s.Refusal.Message)
	case s.Phase != string(corev1.ClaimBound):
		return claimPending(o, now)
	}
	return condition(kind, metav1.ConditionTrue, ReasonClaimBound, fmt.Sprintf("PersistentVolumeClaim %s is bound", s.Claim))
}

// claimPending returns the condition for a claim that is not bound, with what the claim waits for.
func claimPending(o Observed, now time.Time) metav1.Condition {
	const kind = v1alpha1.ConditionStorageReady
	s := o.Storage
	if c := s.Class; c.Known && !c.Found && !c.Static {
		what := fmt.Sprintf("StorageClass %s does not exist", c.Name)
		mend := "make that StorageClass, or a PersistentVolume of that class"
		if c.Name == "" {
			what, mend = "it names no StorageClass, and there was no default one", "mark a StorageClass as the default one"
		}
		if s.Ours {
			mend += fmt.Sprintf(", or set spec.storage.volumeClaimTemplate.spec.storageClassName to one that exists (`kubectl get storageclass`) and delete the claim, which holds nothing: `kubectl delete pvc -n %s %s`",
				o.Server.Namespace, s.Claim)
		}
		return condition(kind, metav1.ConditionFalse, ReasonStorageClassMissing,
			fmt.Sprintf("PersistentVolumeClaim %s waits for a volume that nothing makes: %s; %s", s.Claim, what, mend))
	}
	look := fmt.Sprintf("`kubectl describe pvc -n %s %s` shows why", o.Server.Namespace, s.Claim)
	was := meta.FindStatusCondition(o.Server.Status.Conditions, kind)
	late := was != nil && (was.Status == metav1.ConditionUnknown && was.Reason == ReasonClaimPending && now.Sub(was.LastTransitionTime.Time) >= provisioningPatience ||
		was.Reason == ReasonVolumeNotProvisioned)
	switch {
	case s.Class.WaitsForPod && (len(o.Pods) == 0 || !late):
		return condition(kind, metav1.ConditionUnknown, ReasonClaimPending, fmt.Sprintf(
			"PersistentVolumeClaim %s is bound once a pod that uses it is scheduled: its StorageClass waits for the first consumer", s.Claim))
	case late:
		by := ""
		if s.Class.Provisioner != "" {
			by = " by " + s.Class.Provisioner
		}
		return condition(kind, metav1.ConditionFalse, ReasonVolumeNotProvisioned, fmt.Sprintf(
			"PersistentVolumeClaim %s has been given no volume%s for %.0f minutes: %s", s.Claim, by, provisioningPatience.Minutes(), look))
	}
	return condition(kind, metav1.ConditionUnknown, ReasonClaimPending, fmt.Sprintf(
		"PersistentVolumeClaim %s is not bound yet; with a storage class that waits for the first consumer that comes once a pod is scheduled", s.Claim))
}
