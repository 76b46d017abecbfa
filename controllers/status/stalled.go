package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// stalled returns the Stalled condition while the declared state can't be reached until something is changed; nil
// otherwise. A missing Secret or claim does not stall: objects may be applied in any order, and it is expected to be
// created.
func stalled(o Observed, ready metav1.Condition) *metav1.Condition {
	if ready.Status == metav1.ConditionTrue {
		return nil
	}
	stuck := false
	for _, p := range o.Problems {
		stuck = stuck || p.lasting()
	}
	switch ready.Reason {
	case ReasonConfigRejected, ReasonPortConflict, ReasonPasswordInvalid, reasonDeadline,
		ReasonNodePortConflict, ReasonSurplusPorts, ReasonForeignEndpoints, ReasonNoFreeRange, ReasonSharedAddressConflict, ReasonCertificateInvalid, ReasonCertificateExpired,
		ReasonInvalidImageName, ReasonStorageClassMissing, ReasonClaimGrowthRefused, ReasonClaimImmutable, ReasonClaimLeftOver:
		stuck = true
	}
	if !stuck {
		return nil
	}
	c := condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, ready.Reason, ready.Message)
	return &c
}
