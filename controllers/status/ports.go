package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
)

// These are the reasons of the PassivePortsAssigned condition.
const (
	ReasonPortsAssigned  = "PortsAssigned"
	ReasonAssigningPorts = "AssigningPorts"
	ReasonNoFreePorts    = "NoFreePorts"
	ReasonRangeChanging  = "RangeChanging"
	ReasonPortConflict   = "PortConflict"
)

// passivePortsAssigned is True if every pod holds passive ports of the declared range.
func passivePortsAssigned(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionPassivePortsAssigned
	if len(o.Plan.Conflicts) > 0 {
		c := o.Plan.Conflicts[0]
		return condition(kind, metav1.ConditionFalse, ReasonPortConflict, fmt.Sprintf(
			"pods %s and %s both hold the passive ports %s, of which only %s is sent connections; delete pod %s, and what wrote its annotation %s",
			c.Keeper, c.Pod, c.Ports, c.Keeper, c.Pod, v1alpha1.PassivePortsAnnotation))
	}
	if len(o.Plan.Waiting) > 0 {
		return condition(kind, metav1.ConditionFalse, ReasonNoFreePorts, fmt.Sprintf(
			"no passive port is free for %s (%s): %s is held by other pods, draining ones too; widen spec.passive.portRange (or portCount), lower spec.replicas, or wait for the draining pods to end",
			plural(len(o.Plan.Waiting), "pod"), list(o.Plan.Waiting), portrange.Of(o.Server)))
	}
	if len(o.Plan.Outdated) > 0 {
		return condition(kind, metav1.ConditionFalse, ReasonRangeChanging, fmt.Sprintf(
			"%s with ports outside the declared range being replaced: %s",
			plural(len(o.Plan.Outdated), "pod"), list(o.Plan.Outdated)))
	}
	var without []string
	held := 0
	for i := range o.Pods {
		p := &o.Pods[i]
		if p.Terminating {
			continue
		}
		if len(p.Ports) == 0 {
			without = append(without, p.Name)
			continue
		}
		held++
	}
	if len(without) > 0 {
		return condition(kind, metav1.ConditionFalse, ReasonAssigningPorts,
			"passive ports are being assigned to "+list(without))
	}
	return condition(kind, metav1.ConditionTrue, ReasonPortsAssigned,
		fmt.Sprintf("%s with passive ports of %s", plural(held, "pod"), o.Plan.Exposed))
}
