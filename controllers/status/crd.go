package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Reasons of the CRDCurrent condition.
const (
	ReasonCRDCurrent = "CRDCurrent"
	// ReasonCRDOutdated: the CustomResourceDefinition lacks fields that this operator has.
	ReasonCRDOutdated = "CRDOutdated"
	// ReasonCRDUnseen: the operator could not see the schema that the API server has.
	ReasonCRDUnseen = "CRDUnseen"
)

// CRD tells of the CustomResourceDefinition in the cluster.
type CRD struct {
	// Known: its schema could be read.
	Known bool
	// Missing are the fields that it lacks, as in status.pods[].node.
	Missing []string
	// Error is why it can't be read now.
	Error string
}

// Message says what the CustomResourceDefinition lacks and how to mend it.
func (c CRD) Message() string {
	return fmt.Sprintf("the CustomResourceDefinition ftpservers.%s in the cluster is older than the operator and lacks %s, which is dropped or not written; install the one of the operator's version: "+
		"`kubectl apply --server-side --force-conflicts -f config/crd/bases`, or `helm upgrade` with crds.enabled=true; this is looked at again twice a minute",
		v1alpha1.GroupVersion.Group, list(c.Missing))
}

// crdCurrent: the CustomResourceDefinition has all that this operator writes and reads. It never holds Ready
// up, for servers serve without.
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
