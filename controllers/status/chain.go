package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// cause is a reason why a server is not ready.
type cause struct{ reason, message string }

// causes is a list of causes to which add appends.
type causes []cause

func (c *causes) add(reason, message string) {
	if reason != "" {
		*c = append(*c, cause{reason, message})
	}
}

// chain lists what keeps the server from being ready, in the order in which things must happen, so that the first
// cause explains the later ones: the spec, storage, scheduling, image, address, ports, pods.
func chain(o Observed, parts []metav1.Condition) []cause {
	var all causes
	by := map[string]metav1.Condition{}
	for _, c := range parts {
		by[c.Type] = c
	}
	part := func(kind string) {
		if c := by[kind]; c.Status != metav1.ConditionTrue && !servesOn[c.Reason] {
			all.add(c.Reason, c.Message)
		}
	}

	// First come the spec and the objects that it names.
	if len(o.Problems) > 0 {
		p := worst(o.Problems)
		all.add(string(p.Kind), p.Object+": "+p.Message)
	}
	part(v1alpha1.ConditionUsersReady)
	part(v1alpha1.ConditionCertificateReady)
	if c := by[v1alpha1.ConditionPassivePortsExposed]; o.asksForTakenPorts(c) {
		all.add(c.Reason, c.Message)
	}

	scheduling := func() {
		all.add(podTrouble(o, StageScheduling, by[v1alpha1.ConditionStorageReady].Status != metav1.ConditionTrue))
	}
	if o.Storage.Class.WaitsForPod {
		scheduling() // with such a class, scheduling comes before storage
	}
	part(v1alpha1.ConditionStorageReady)

	storing := by[v1alpha1.ConditionStorageReady].Status != metav1.ConditionTrue
	if c := deploymentCondition(o.Deployment, "ReplicaFailure"); isTrue(c) {
		all.add(c.Reason, "the Deployment can't make its pods: "+c.Message)
	}
	for _, stage := range []Stage{StageScheduling, StageImage} {
		all.add(podTrouble(o, stage, storing))
	}

	addressed := by[v1alpha1.ConditionAddressResolved].Reason != ReasonAddressNotYetServed
	if addressed {
		part(v1alpha1.ConditionAddressResolved)
	}

	part(v1alpha1.ConditionPassivePortsExposed)
	part(v1alpha1.ConditionPassivePortsAssigned)

	all.add(podTrouble(o, StageContainer, storing))
	all.add(rollout(o))
	if !addressed {
		part(v1alpha1.ConditionAddressResolved)
	}
	if c := by[v1alpha1.ConditionConfigLoaded]; c.Status == metav1.ConditionFalse {
		all.add(c.Reason, c.Message)
	}
	return all
}

// asksForTakenPorts reports whether the spec requests ports that others hold, so that the Service can't be applied or
// gets no address, and nothing after it can happen.
func (o Observed) asksForTakenPorts(exposed metav1.Condition) bool {
	switch exposed.Reason {
	case ReasonNodePortConflict, ReasonNoFreeRange:
		return true
	case ReasonSharedAddressConflict:
		return o.Address.Address == "" || o.Address.Lost
	}
	return false
}

// podTrouble returns the trouble of the first pod that is stuck at that stage. If storing is true, pods that only
// wait for their volume are skipped.
func podTrouble(o Observed, stage Stage, storing bool) (reason, message string) {
	for i := range o.Pods {
		p := &o.Pods[i]
		if p.Terminating || p.Trouble.Reason == "" || p.Trouble.Stage != stage || storing && p.Trouble.AwaitsStorage {
			continue
		}
		return p.Trouble.Reason, fmt.Sprintf("pod %s: %s", p.Name, p.Trouble.Message)
	}
	return "", ""
}

// rollout returns a reason and a message while the pods are not as the Deployment declares; empty strings otherwise.
func rollout(o Observed) (reason, message string) {
	d := o.Deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		return ReasonProgressing, "the Deployment is being rolled out"
	}
	if c := deploymentCondition(d, "Progressing"); c != nil && c.Reason == reasonDeadline {
		return c.Reason, c.Message
	}
	st := d.Status
	switch {
	case st.UpdatedReplicas < o.Replicas:
		return ReasonProgressing, fmt.Sprintf("%d of %d pods are updated", st.UpdatedReplicas, o.Replicas)
	case st.Replicas > st.UpdatedReplicas:
		return ReasonProgressing, fmt.Sprintf("%s of the old template still to be replaced",
			plural(int(st.Replicas-st.UpdatedReplicas), "pod"))
	case st.Replicas > o.Replicas:
		return ReasonProgressing, fmt.Sprintf("%s to be removed", plural(int(st.Replicas-o.Replicas), "pod"))
	case st.AvailableReplicas < o.Replicas:
		return ReasonProgressing, fmt.Sprintf("%d of %d pods are available", st.AvailableReplicas, o.Replicas)
	}
	return "", ""
}

// reasonDeadline is the reason by which a Deployment reports that its rollout is stuck.
const reasonDeadline = "ProgressDeadlineExceeded"

// worst returns the first lasting problem, or else the first one.
func worst(problems []Problem) Problem {
	for _, p := range problems {
		if p.lasting() {
			return p
		}
	}
	return problems[0]
}
