package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// pod is one of the server's pods.
type pod struct {
	*corev1.Pod
	// chained is true if the pod's owner chain (Pod, ReplicaSet, Deployment, by UID) leads to our Deployment. Only
	// such a pod is assigned ports or published for the first time. A pod that is not chained but has a slice of ours
	// was verified earlier: its Deployment has been deleted since, and it drains.
	chained bool
	// held are the pod's passive ports: those that the server's status records for it, or else those in its
	// annotation.
	held config.PortSet
}

func (p *pod) terminating() bool { return p.DeletionTimestamp != nil }

// terminated reports whether the pod's containers have ended for good, so that it holds nothing any more.
func terminated(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// containersReady reports whether the pod's containers pass their probes. The pod's own readiness would cause a
// deadlock: it waits for the readiness gate, which waits for the slice to say ready.
func (p *pod) containersReady() bool { return p.conditionTrue(corev1.ContainersReady) }

// nodeLost reports whether the node lifecycle controller has marked the pod not ready because its node stopped
// reporting: Ready is False while ContainersReady and our gate are still True. When containers fail, the kubelet sets
// ContainersReady to False too; while it waits for the gate, it sets Ready to False with the reason
// ReadinessGatesNotReady.
func (p *pod) nodeLost() bool {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.PodReady {
			return c.Status != corev1.ConditionTrue && c.Reason != gateClosed &&
				p.containersReady() && p.conditionTrue(corev1.PodConditionType(v1alpha1.RoutedConditionType))
		}
	}
	return false
}

// gateClosed is the kubelet's reason for a pod that is not ready only because of its readiness gates.
const gateClosed = "ReadinessGatesNotReady"

// takesSessions reports whether new sessions may be routed to the pod.
func (p *pod) takesSessions() bool { return p.containersReady() && !p.nodeLost() && !p.terminating() }

func (p *pod) conditionTrue(kind corev1.PodConditionType) bool {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == kind {
			return p.Status.Conditions[i].Status == corev1.ConditionTrue
		}
	}
	return false
}

// neverReady reports whether the pod's readiness gate was never opened and its daemon is not ready now.
func (p *pod) neverReady() bool {
	gate := corev1.PodConditionType(v1alpha1.RoutedConditionType)
	gated := slices.ContainsFunc(p.Spec.ReadinessGates, func(g corev1.PodReadinessGate) bool { return g.ConditionType == gate })
	return gated && !p.conditionTrue(gate) && !p.containersReady()
}

func (p *pod) running() bool {
	d := status.DaemonContainer(p.Pod)
	return d != nil && d.State.Running != nil && p.Status.PodIP != ""
}

// route returns the pod as its slice shows it. A daemon that drains fails its readiness probe on purpose; it still
// serves its sessions and needs its passive ports until its container ends. The same may be true of a pod whose node
// the cluster can't reach, since clients may still reach it: it is shown as terminating.
func (p *pod) route(ports config.PortSet) resources.PodRoute {
	r := resources.PodRoute{
		Name: p.Name, UID: string(p.UID), Namespace: p.Namespace,
		Node: p.Spec.NodeName, Ports: ports,
		Ready:       p.takesSessions() && len(ports) > 0,
		Serving:     p.containersReady() || p.terminating() && p.running(),
		Terminating: p.terminating() || p.nodeLost(),
	}
	for _, ip := range p.Status.PodIPs {
		r.IPs = append(r.IPs, ip.IP)
	}
	if len(r.IPs) == 0 && p.Status.PodIP != "" {
		r.IPs = []string{p.Status.PodIP}
	}
	return r
}

// annotate writes into a pod's annotations its ports, the address of its own node if that is the only way to reach
// it, and the hash of the configuration that it should serve. The patch names the pod's UID, so it never changes a
// later pod of that name.
func annotate(ctx context.Context, s scope, o *observed, one *pod, configHash string) error {
	change := map[string]any{}
	want := func(key, value string) {
		if value != "" && one.Annotations[key] != value {
			change[key] = value
		}
	}
	if mayTellPorts(s, o, one) {
		want(v1alpha1.PassivePortsAnnotation, one.held.String())
	}
	own := podAddress(s, o, one).Address
	want(v1alpha1.AdvertisedAddressAnnotation, own)
	if _, has := one.Annotations[v1alpha1.AdvertisedAddressAnnotation]; has && own == "" {
		change[v1alpha1.AdvertisedAddressAnnotation] = nil
	}
	want(v1alpha1.ConfigHashAnnotation, configHash)
	want(v1alpha1.ConfigTouchAnnotation, s.rollouts.Touch(s.server.UID, one.Name))
	if len(change) == 0 {
		return nil
	}
	return annotatePod(ctx, s, one, change, "")
}

// annotatePod writes annotations of a pod, and removes those whose value is nil. If version is not empty, the write
// succeeds only if the pod still has that resource version.
func annotatePod(ctx context.Context, s scope, one *pod, change map[string]any, version string) error {
	metadata := map[string]any{"uid": one.UID, "annotations": change}
	if version != "" {
		metadata["resourceVersion"] = version
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return fmt.Errorf("encoding annotations of Pod %s: %w", one.Name, err)
	}
	err = s.Client.Patch(ctx, one.Pod, client.RawPatch(types.MergePatchType, patch), children.FieldOwner)
	return patched(s, one, "annotating", err)
}

// openGate sets the pod's readiness gate, once. From then on the pod is ready when its containers are.
func openGate(ctx context.Context, s scope, one *pod) error {
	gate := corev1.PodConditionType(v1alpha1.RoutedConditionType)
	has := slices.ContainsFunc(one.Spec.ReadinessGates, func(g corev1.PodReadinessGate) bool { return g.ConditionType == gate })
	if !has || one.conditionTrue(gate) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": one.UID},
		"status": map[string]any{"conditions": []corev1.PodCondition{{
			Type: gate, Status: corev1.ConditionTrue, LastTransitionTime: s.now(),
			Reason: "SlicePublished", Message: "the pod's EndpointSlice is published",
		}}},
	})
	if err != nil {
		return fmt.Errorf("encoding the readiness gate of Pod %s: %w", one.Name, err)
	}
	err = s.Client.Status().Patch(ctx, one.Pod, client.RawPatch(types.StrategicMergePatchType, patch), children.FieldOwner)
	if err := patched(s, one, "opening the readiness gate of", err); err != nil {
		return err
	}
	log.FromContext(ctx).Info("pod is routed", "pod", one.Name)
	return nil
}

// patched records that a pod was written. If the write failed with err, it returns the error: see podGone, and otherwise one
// that says what the operator was doing to the pod.
func patched(s scope, one *pod, doing string, err error) error {
	switch {
	case children.Gone(err):
		return podGone(one.Pod)
	case err != nil:
		return fmt.Errorf("%s Pod %s/%s: %w", doing, one.Namespace, one.Name, err)
	}
	s.children.Tracker.Wrote(children.KindPod, one.Pod)
	return nil
}

// podGone returns the error of a pass that has found a pod gone: the next pass sees the pods as they are.
func podGone(one *corev1.Pod) error {
	return &children.ChangedError{What: fmt.Sprintf("Pod %s is gone", one.Name)}
}
