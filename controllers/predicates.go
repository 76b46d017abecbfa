package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// changed passes every event except updates without a change, which a resync of the cache sends.
func changed() builder.WatchesOption {
	return builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})
}

// updates passes an update only if differs returns true for it.
func updates[T client.Object](differs func(before, after T) bool) predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok1 := e.ObjectOld.(T)
		after, ok2 := e.ObjectNew.(T)
		return !ok1 || !ok2 || differs(before, after)
	}}
}

// specChanged passes an update if a client wrote to the object. Updates of the status, which the object's own
// controller writes, do not matter.
func specChanged() predicate.Predicate {
	return updates(func(before, after client.Object) bool {
		return before.GetGeneration() != after.GetGeneration() ||
			!equality.Semantic.DeepEqual(before.GetLabels(), after.GetLabels()) ||
			!equality.Semantic.DeepEqual(before.GetAnnotations(), after.GetAnnotations()) ||
			!equality.Semantic.DeepEqual(before.GetOwnerReferences(), after.GetOwnerReferences())
	})
}

// podChanged passes updates that change a pod's ports, its routing or its entry in the status. The timestamps of its
// conditions, which probes renew, do not count.
func podChanged() predicate.Predicate {
	return updates(func(before, after *corev1.Pod) bool {
		return !equality.Semantic.DeepEqual(podEssence(before), podEssence(after))
	})
}

func podEssence(p *corev1.Pod) *corev1.Pod {
	e := &corev1.Pod{}
	e.Labels, e.Annotations, e.OwnerReferences = p.Labels, p.Annotations, p.OwnerReferences
	e.DeletionTimestamp = p.DeletionTimestamp
	e.Spec = p.Spec
	e.Status = corev1.PodStatus{Phase: p.Status.Phase, PodIP: p.Status.PodIP, PodIPs: p.Status.PodIPs}
	for _, c := range p.Status.Conditions {
		e.Status.Conditions = append(e.Status.Conditions, corev1.PodCondition{
			Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message,
		})
	}
	for _, c := range p.Status.ContainerStatuses {
		e.Status.ContainerStatuses = append(e.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Ready: c.Ready, State: c.State, ContainerID: c.ContainerID,
		})
	}
	return e
}

// ownerChanged passes events of a ReplicaSet that is created, is deleted or changes its owner.
func ownerChanged() predicate.Predicate {
	return updates(func(before, after client.Object) bool {
		return !equality.Semantic.DeepEqual(before.GetOwnerReferences(), after.GetOwnerReferences())
	})
}

// nodeChanged passes updates that change a node's addresses or readiness, and drops its heartbeats.
func nodeChanged() predicate.TypedPredicate[*corev1.Node] {
	return predicate.TypedFuncs[*corev1.Node]{UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Node]) bool {
		return !equality.Semantic.DeepEqual(e.ObjectOld.Status, e.ObjectNew.Status) // slimNode has reduced the status
	}}
}
