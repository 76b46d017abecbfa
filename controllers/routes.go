package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// applyPods writes the pods' annotations (their ports, the configuration's hash) and their routing: first their
// slices, then the readiness gate of each pod whose slice is in place.
func (p *pass) applyPods(ctx context.Context) error {
	for i := range p.observed.pods {
		if err := p.annotate(ctx, &p.observed.pods[i]); err != nil {
			return err
		}
	}
	if err := p.applySlices(ctx); err != nil {
		return err
	}
	return p.dropForeignRoutes(ctx)
}

// applySlices publishes the pods, and deletes the slices that belong to no living pod.
func (p *pass) applySlices(ctx context.Context) error {
	wanted := map[string]types.UID{}
	if p.observed.serviceChild.state != foreign { // never publish to a Service that is not ours
		for i := range p.observed.pods {
			if err := p.publish(ctx, &p.observed.pods[i], wanted); err != nil {
				return err
			}
		}
	}
	return p.dropStraySlices(ctx, wanted)
}

// annotate writes into a pod's annotations its ports, the address of its own node if that is the only way to reach
// it, and the hash of the configuration that it should serve. The patch names the pod's UID, so it never changes a
// later pod of that name.
func (p *pass) annotate(ctx context.Context, one *pod) error {
	change := map[string]any{}
	want := func(key, value string) {
		if value != "" && one.Annotations[key] != value {
			change[key] = value
		}
	}
	if p.tellPorts(one) {
		want(v1alpha1.PassivePortsAnnotation, one.held.String())
	}
	own := p.podAddress(one).Address
	want(v1alpha1.AdvertisedAddressAnnotation, own)
	if _, has := one.Annotations[v1alpha1.AdvertisedAddressAnnotation]; has && own == "" {
		change[v1alpha1.AdvertisedAddressAnnotation] = nil
	}
	want(v1alpha1.ConfigHashAnnotation, p.configHash)
	want(v1alpha1.ConfigTouchAnnotation, p.progress.touch(p.server.UID, one.Name))
	if len(change) == 0 {
		return nil
	}
	return p.annotatePod(ctx, one, change, "")
}

// annotatePod writes annotations of a pod, and removes those whose value is nil. If version is not empty, the write
// succeeds only if the pod still has that resource version.
func (p *pass) annotatePod(ctx context.Context, one *pod, change map[string]any, version string) error {
	metadata := map[string]any{"uid": one.UID, "annotations": change}
	if version != "" {
		metadata["resourceVersion"] = version
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return fmt.Errorf("encoding annotations of Pod %s: %w", one.Name, err)
	}
	err = p.Client.Patch(ctx, one.Pod, client.RawPatch(types.MergePatchType, patch), fieldOwner)
	if gone(err) {
		return &changedError{fmt.Sprintf("Pod %s is gone", one.Name)}
	}
	if err != nil {
		return fmt.Errorf("annotating Pod %s/%s: %w", one.Namespace, one.Name, err)
	}
	p.fresh.wrote(kindPod, one.Pod)
	return nil
}

// gone reports whether a write that names a UID failed because the object with that UID no longer exists.
func gone(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsConflict(err) || anotherUID(err)
}

// publish brings a pod's slices up to date. Once the pod takes sessions and its routes have had the time to settle,
// it also opens the pod's readiness gate. It adds the slices to wanted.
func (p *pass) publish(ctx context.Context, one *pod, wanted map[string]types.UID) error {
	route := one.route(p.plan.Routes[one.Name])
	if route.Ready {
		route.Settling = p.mustSettle(one)
	} else {
		p.settling.forget(one.UID)
	}
	published := false
	for _, desired := range resources.EndpointSlices(p.inputs, route) {
		name := *desired.GetName()
		c := &child{kind: kindSlice}
		if i := slices.IndexFunc(p.observed.slices, func(s discoveryv1.EndpointSlice) bool { return s.Name == name }); i >= 0 &&
			!p.fresh.stale(kindSlice, &p.observed.slices[i]) {
			c.object = p.observed.slices[i].DeepCopy()
		} else {
			object, err := p.liveSlice(ctx, name)
			if err != nil {
				return err
			}
			c.object = object
		}
		switch {
		case c.object.GetUID() == "":
			c.state = absent
			if !one.chained {
				continue // a pod that is not verified is not published for the first time
			}
		case !metav1.IsControlledBy(c.object, one.Pod):
			c.state = foreign
		case c.object.GetDeletionTimestamp() != nil:
			c.state = leaving
		default:
			c.state = ours
		}
		if c.state == foreign && isOurSlice(c.object, p.server) {
			continue // belongs to an earlier pod of that name: it is deleted below, and created again in the next pass
		}
		wanted[name] = one.UID
		there, err := p.ensure(ctx, c, desired)
		if err != nil {
			return err
		}
		published = published || there
	}
	switch {
	case !published || !route.Ready:
		return nil
	case route.Settling:
		now := p.Clock.Now()
		p.settling.begin(one.UID, now)
		p.lookAgain(p.settling.left(one.UID, p.settleTime(), now))
		return nil
	}
	return p.openGate(ctx, one)
}

func (p *pass) liveSlice(ctx context.Context, name string) (*discoveryv1.EndpointSlice, error) {
	s := &discoveryv1.EndpointSlice{}
	key := types.NamespacedName{Namespace: p.server.Namespace, Name: name}
	if err := p.Live.Get(ctx, key, s); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading EndpointSlice %s: %w", key, err)
	}
	s.Namespace, s.Name = key.Namespace, key.Name
	if s.UID == "" {
		p.fresh.forget(kindSlice, key)
	} else {
		p.fresh.read(kindSlice, s)
	}
	return s, nil
}

// openGate sets the pod's readiness gate, once. From then on the pod is ready when its containers are.
func (p *pass) openGate(ctx context.Context, one *pod) error {
	gate := corev1.PodConditionType(v1alpha1.RoutedConditionType)
	has := slices.ContainsFunc(one.Spec.ReadinessGates, func(g corev1.PodReadinessGate) bool { return g.ConditionType == gate })
	if !has || one.conditionTrue(gate) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": one.UID},
		"status": map[string]any{"conditions": []corev1.PodCondition{{
			Type: gate, Status: corev1.ConditionTrue, LastTransitionTime: p.now(),
			Reason: "SlicePublished", Message: "the pod's EndpointSlice is published",
		}}},
	})
	if err != nil {
		return fmt.Errorf("encoding the readiness gate of Pod %s: %w", one.Name, err)
	}
	err = p.Client.Status().Patch(ctx, one.Pod, client.RawPatch(types.StrategicMergePatchType, patch), fieldOwner)
	if gone(err) {
		return &changedError{fmt.Sprintf("Pod %s is gone", one.Name)}
	}
	if err != nil {
		return fmt.Errorf("opening the readiness gate of Pod %s/%s: %w", one.Namespace, one.Name, err)
	}
	p.fresh.wrote(kindPod, one.Pod)
	log.FromContext(ctx).Info("pod is routed", "pod", one.Name)
	return nil
}

// isOurSlice reports whether the operator created a slice for this server's Service. A slice without an owner comes
// from a backup, and the pod that it routes to no longer exists.
func isOurSlice(s client.Object, server *v1alpha1.FtpServer) bool {
	owner := metav1.GetControllerOf(s)
	return s.GetLabels()[discoveryv1.LabelManagedBy] == v1alpha1.SliceManager &&
		s.GetLabels()[discoveryv1.LabelServiceName] == resources.ServiceName(server) &&
		(owner == nil || owner.Kind == kindPod)
}

// podOfSlice returns the UID of the pod that a slice belongs to; empty if it belongs to none.
func podOfSlice(s client.Object) types.UID {
	if owner := metav1.GetControllerOf(s); owner != nil && owner.Kind == kindPod {
		return owner.UID
	}
	return ""
}

// dropStraySlices deletes our slices that belong to no living pod of the server. It does so at once, since the
// address in such a slice may soon be another pod's. The garbage collector would delete them later, but not those of
// a pod that has ended and still exists.
func (p *pass) dropStraySlices(ctx context.Context, wanted map[string]types.UID) error {
	for i := range p.observed.slices {
		s := &p.observed.slices[i]
		if !isOurSlice(s, p.server) || s.DeletionTimestamp != nil {
			continue
		}
		if uid, is := wanted[s.Name]; is && uid == podOfSlice(s) {
			continue
		}
		err := p.Client.Delete(ctx, s, client.Preconditions{UID: &s.UID})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("deleting EndpointSlice %s/%s: %w", s.Namespace, s.Name, err)
		}
		log.FromContext(ctx).Info("deleted", "child", "EndpointSlice "+s.Namespace+"/"+s.Name)
	}
	return nil
}
