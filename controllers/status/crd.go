package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the CRDCurrent condition.
const (
	ReasonCRDCurrent = "CRDCurrent"
	// ReasonCRDOutdated means that the CustomResourceDefinition lacks fields that this operator has.
	ReasonCRDOutdated = "CRDOutdated"
	// ReasonCRDUnseen means that the operator could not read the API server's schema.
	ReasonCRDUnseen = "CRDUnseen"
)

// CRD describes the CustomResourceDefinition in the cluster.
type CRD struct {
	// Known is true if its schema could be read.
	Known bool
	// Missing are the fields that the schema lacks, as in status.pods[].node.
	Missing []string
	// Error is why the schema can't be read now; empty if it can.
	Error string
}

// Message says what the CustomResourceDefinition lacks and how to fix that.
func (c CRD) Message() string {
	return fmt.Sprintf("the CustomResourceDefinition ftpservers.%s in the cluster is older than the operator and lacks %s, which is dropped or not written; install the one of the operator's version: "+
		"`helm upgrade` with crds.enabled=true where Helm installed it (with --force-conflicts if kubectl has written it since), "+
		"or else `kubectl apply --server-side --force-conflicts -f config/crd/bases`; this is looked at again twice a minute",
		v1alpha1.GroupVersion.Group, list(c.Missing))
}

// crdCurrent is True if the CustomResourceDefinition has all fields that this operator writes and reads. It never
// affects Ready, since servers work without those fields.
func crdCurrent(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionCRDCurrent
	switch c := o.CRD; {
	case len(c.Missing) > 0:
		return condition(kind, metav1.ConditionFalse, ReasonCRDOutdated, c.Message())
	case !c.Known:
		return condition(kind, metav1.ConditionUnknown, ReasonCRDUnseen, "the schema that the API server has could not be read yet: "+orNone(c.Error))
	}
	return condition(kind, metav1.ConditionTrue, ReasonCRDCurrent, "the CustomResourceDefinition has every field of this operator's version")
}

func orNone(text string) string {
	if text == "" {
		return "no attempt so far"
	}
	return clip(text)
}
