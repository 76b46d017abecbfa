package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// changed lets through what changed at all; a resync of the cache did not.
func changed() builder.WatchesOption {
	return builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})
}

// updates lets an update through only if it differs in what matters.
func updates[T client.Object](differs func(before, after T) bool) predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok1 := e.ObjectOld.(T)
		after, ok2 := e.ObjectNew.(T)
		return !ok1 || !ok2 || differs(before, after)
	}}
}

// specChanged lets an update through if somebody wrote to the object; its status, which its own
// controller keeps, is none of our business.
func specChanged() predicate.Predicate {
	return updates(func(before, after client.Object) bool {
		return before.GetGeneration() != after.GetGeneration() ||
			!equality.Semantic.DeepEqual(before.GetLabels(), after.GetLabels()) ||
			!equality.Semantic.DeepEqual(before.GetAnnotations(), after.GetAnnotations()) ||
			!equality.Semantic.DeepEqual(before.GetOwnerReferences(), after.GetOwnerReferences())
	})
}

// podChanged lets through what changes a pod's ports, routing or place in the status. Timestamps of
// its conditions, which probes renew, are none of that.
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

// ownerChanged lets a ReplicaSet through when it appears, goes, or changes hands.
func ownerChanged() predicate.Predicate {
	return updates(func(before, after client.Object) bool {
		return !equality.Semantic.DeepEqual(before.GetOwnerReferences(), after.GetOwnerReferences())
	})
}

// nodeChanged lets through what changes a node as an entry point; its heartbeats do not.
func nodeChanged() predicate.TypedPredicate[*corev1.Node] {
	return predicate.TypedFuncs[*corev1.Node]{UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Node]) bool {
		return !equality.Semantic.DeepEqual(e.ObjectOld.Status, e.ObjectNew.Status) // as slimNode leaves it
	}}
}
