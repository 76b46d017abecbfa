package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/controllers/caches"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// routing is what the pods' EndpointSlices and annotations are made from.
type routing struct {
	plan portplan.Plan
	// warmUp is the time for which a new pod's passive ports are published before its control port is.
	warmUp time.Duration
	// configHash identifies the configuration that the pods should serve; empty while it is not known.
	configHash string
}

// routed is what routePods found.
type routed struct {
	findings
	// foreign are the EndpointSlices of the Service that others created.
	foreign []status.ForeignSlice
}

// routePods writes the pods' annotations (their ports, the configuration's hash) and their routing: first their
// slices, then the readiness gate of each pod whose slice is in place.
func routePods(ctx context.Context, s scope, o *observed, r routing) (routed, error) {
	var found routed
	for i := range o.pods {
		if err := annotate(ctx, s, o, &o.pods[i], r.configHash); err != nil {
			return found, err
		}
	}
	slices, err := applySlices(ctx, s, o, r)
	found.add(slices)
	if err != nil {
		return found, err
	}
	found.foreign, err = dropForeignSlices(ctx, s, o)
	return found, err
}

// applySlices publishes the pods, and deletes the slices that belong to no living pod.
func applySlices(ctx context.Context, s scope, o *observed, r routing) (findings, error) {
	var found findings
	wanted := map[string]types.UID{}
	if o.child(children.KindService).State != children.Foreign { // never publish to a Service that is not ours
		for i := range o.pods {
			if err := publish(ctx, s, o, &o.pods[i], r, wanted, &found); err != nil {
				return found, err
			}
		}
	}
	return found, dropStraySlices(ctx, s, o, wanted)
}

// withdrawEndpoints removes the control port from pods that have started to terminate or are lost. It runs before
// everything else in the pass, which may take seconds or fail: nodes must know before the pods refuse new sessions.
func withdrawEndpoints(ctx context.Context, s scope, o *observed) (findings, error) {
	var found findings
	if o.child(children.KindService).State == children.Foreign {
		return found, nil
	}
	r := routing{plan: portplan.Compute(planInput(s, o, nil))}
	for i := range o.pods {
		one := &o.pods[i]
		if !one.terminating() && !one.nodeLost() || !o.slicesSay(one, false) {
			continue
		}
		if err := publish(ctx, s, o, one, r, map[string]types.UID{}, &found); err != nil {
			return found, err
		}
	}
	return found, nil
}

// publish brings a pod's slices up to date. Once the pod takes sessions and its warm-up is over, it also opens the
// pod's readiness gate. It adds the slices to wanted.
func publish(ctx context.Context, s scope, o *observed, one *pod, r routing, wanted map[string]types.UID, found *findings) error {
	route := one.route(r.plan.Routes[one.Name])
	if route.Ready {
		route.WarmingUp = mustWarmUp(s, o, one, r.warmUp)
	} else {
		s.warmUps.Forget(one.UID)
	}
	published := false
	in := resources.Inputs{Server: s.server, ServiceIPFamilies: o.service().Spec.IPFamilies}
	for _, desired := range resources.EndpointSlices(in, route) {
		c, err := readSlice(ctx, s, o, one, *desired.GetName())
		if err != nil {
			return err
		}
		if c.State == children.Absent && !one.chained {
			continue // a pod that is not verified is not published for the first time
		}
		if c.State == children.Foreign && isOurSlice(c.Object, s.server) {
			continue // belongs to an earlier pod of that name: it is deleted below, and created again in the next pass
		}
		wanted[c.Object.GetName()] = one.UID
		there, err := found.ensure(ctx, s, c, desired)
		if err != nil {
			return err
		}
		published = published || there
	}
	switch {
	case !published || !route.Ready:
		return nil
	case route.WarmingUp:
		now := s.Clock.Now()
		s.warmUps.Begin(one.UID, now)
		found.lookAgain(s.warmUps.Left(one.UID, r.warmUp, now))
		return nil
	}
	return openGate(ctx, s, one)
}

// readSlice reads a pod's slice of that name: from the observed slices, or from the API server if it is not among
// them or they lag behind our own last write of it.
func readSlice(ctx context.Context, s scope, o *observed, one *pod, name string) (*children.Child, error) {
	c := &children.Child{Kind: children.KindSlice}
	if i := slices.IndexFunc(o.slices, func(s discoveryv1.EndpointSlice) bool { return s.Name == name }); i >= 0 &&
		!s.children.Tracker.Stale(children.KindSlice, &o.slices[i]) {
		c.Object = o.slices[i].DeepCopy()
	} else {
		object, err := liveSlice(ctx, s, name)
		if err != nil {
			return nil, err
		}
		c.Object = object
	}
	switch {
	case c.Object.GetUID() == "":
		c.State = children.Absent
	case !metav1.IsControlledBy(c.Object, one.Pod):
		c.State = children.Foreign
	case c.Object.GetDeletionTimestamp() != nil:
		c.State = children.Leaving
	default:
		c.State = children.Ours
	}
	return c, nil
}

func liveSlice(ctx context.Context, s scope, name string) (*discoveryv1.EndpointSlice, error) {
	slice := &discoveryv1.EndpointSlice{}
	key := types.NamespacedName{Namespace: s.server.Namespace, Name: name}
	if err := s.Live.Get(ctx, key, slice); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading EndpointSlice %s: %w", key, err)
	}
	slice.Namespace, slice.Name = key.Namespace, key.Name
	if slice.UID == "" {
		s.children.Tracker.Forget(children.KindSlice, key)
	} else {
		s.children.Tracker.Read(children.KindSlice, slice)
	}
	return slice, nil
}

// warmUp returns the time for which a new pod's passive ports are published before its control port is, while
// another pod takes the sessions: spec.passive.warmUp, or else what the load balancer needs. Nodes apply the slices
// one by one, and a load balancer that checks each port sends no connection to a port that has not passed its check.
// So a session that comes over a fast node may have its data connections come over a node that has not applied the
// slices yet and refuses them.
func warmUp(s scope, o *observed, balancer loadbalancer.Input) time.Duration {
	if declared := resources.WarmUp(s.server); declared != nil {
		return *declared
	}
	return loadbalancer.TimesOf(balancer, resources.ExternalTrafficPolicy(o.asScaled(s.server))).WarmUp
}

// mustWarmUp reports whether the control port must not be routed yet to a pod that takes sessions.
func mustWarmUp(s scope, o *observed, one *pod, warmUp time.Duration) bool {
	if o.slicesSay(one, true) || s.warmUps.Left(one.UID, warmUp, s.Clock.Now()) == 0 {
		return false
	}
	return slices.ContainsFunc(o.pods, func(other pod) bool {
		return other.UID != one.UID && other.takesSessions() && o.slicesSay(&other, true)
	})
}

// dropStraySlices deletes our slices that belong to no living pod of the server. It does so at once, since the
// address in such a slice may soon be another pod's. The garbage collector would delete them later, but not those of
// a pod that has ended and still exists.
func dropStraySlices(ctx context.Context, s scope, o *observed, wanted map[string]types.UID) error {
	for i := range o.slices {
		slice := &o.slices[i]
		if !isOurSlice(slice, s.server) || slice.DeletionTimestamp != nil {
			continue
		}
		if uid, is := wanted[slice.Name]; is && uid == podOfSlice(slice) {
			continue
		}
		err := s.Client.Delete(ctx, slice, client.Preconditions{UID: &slice.UID})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("deleting EndpointSlice %s/%s: %w", slice.Namespace, slice.Name, err)
		}
		log.FromContext(ctx).Info("deleted", "child", "EndpointSlice "+slice.Namespace+"/"+slice.Name)
	}
	return nil
}

// dropSelector removes the selector from our Service, if it has one. The operator does not own that field, so
// server-side apply leaves a selector that a user put there. With a selector the cluster creates EndpointSlices of
// its own, which route passive ports to any pod. dropForeignSlices deletes the ones that remain.
func dropSelector(ctx context.Context, s scope, o *observed) error {
	service := o.service()
	if o.child(children.KindService).State != children.Ours || len(service.Spec.Selector) == 0 {
		return nil
	}
	s.liveReads.Demand(s.server.UID, s.Clock.Now())
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"selector":null}}`, service.UID)
	err := s.Client.Patch(ctx, service, client.RawPatch(types.MergePatchType, patch), children.FieldOwner)
	if err != nil {
		return fmt.Errorf("taking the selector off %s: %w", o.child(children.KindService), err)
	}
	s.children.Tracker.Wrote(children.KindService, service)
	if err := deleteEndpoints(ctx, s); err != nil {
		return err
	}
	log.FromContext(ctx).Info("took a selector off the Service, which must have none", "service", service.Name)
	return nil
}

// dropForeignSlices deletes the slices that the cluster created for our Service, and the Endpoints object from which
// it would create another, once the Service has no selector any more. It returns the slices that others created.
//
// Every EndpointSlice that names the server's Service routes to it, whichever client created it, and one that is not
// ours routes passive ports to any pod. The cluster's controllers create such slices from a selector that a user put
// on the Service, and leave them when the selector is removed (kubernetes#91072). They also create them from an
// Endpoints object of that name.
func dropForeignSlices(ctx context.Context, s scope, o *observed) ([]status.ForeignSlice, error) {
	if o.child(children.KindService).State != children.Ours || len(o.service().Spec.Selector) > 0 {
		return nil, nil
	}
	found, err := foreignSlices(ctx, s)
	if err != nil {
		return nil, err
	}
	var others []status.ForeignSlice
	for i := range found {
		slice := &found[i]
		switch by := slice.Labels[discoveryv1.LabelManagedBy]; by {
		case caches.EndpointSliceController, caches.EndpointSliceMirroringController:
			if err := deleteEndpoints(ctx, s); err != nil { // first, or the controller mirrors it again
				return others, err
			}
			m := sliceMetadata()
			m.Namespace, m.Name = slice.Namespace, slice.Name
			err := s.Client.Delete(ctx, m, client.Preconditions{UID: &slice.UID})
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				return others, fmt.Errorf("deleting EndpointSlice %s/%s, which leads to other pods: %w", slice.Namespace, slice.Name, err)
			}
			log.FromContext(ctx).Info("deleted an EndpointSlice that the cluster made for the Service", "slice", slice.Name, "manager", by)
		default:
			others = append(others, status.ForeignSlice{Name: slice.Name, Manager: by})
		}
	}
	return others, nil
}

// foreignSlices returns the metadata of the slices of the server's Service that are not ours. The slices that the
// cluster creates from a selector carry the Service's labels, and so are in the manager's cache. The others are in a
// separate cache; for a time they are read from the API server: see memory.LiveReads.
func foreignSlices(ctx context.Context, s scope) ([]metav1.ObjectMeta, error) {
	ofOurs := client.MatchingLabels{discoveryv1.LabelServiceName: resources.ServiceName(s.server)}
	within := client.InNamespace(s.server.Namespace)
	var found []metav1.ObjectMeta
	seen := map[types.UID]bool{}
	add := func(slice client.Object, meta metav1.ObjectMeta) {
		if !seen[meta.UID] && meta.DeletionTimestamp == nil && !isOurSlice(slice, s.server) {
			seen[meta.UID] = true
			found = append(found, meta)
		}
	}
	var labelled discoveryv1.EndpointSliceList
	if err := s.Client.List(ctx, &labelled, within, ofOurs, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the EndpointSlices of Service %s/%s: %w", s.server.Namespace, resources.ServiceName(s.server), err)
	}
	for i := range labelled.Items {
		add(&labelled.Items[i], labelled.Items[i].ObjectMeta)
	}
	reader := s.foreignSlices
	if reader == nil || s.liveReads.Demanded(s.server.UID, s.Clock.Now()) {
		reader = s.Live
	}
	others := &metav1.PartialObjectMetadataList{}
	others.SetGroupVersionKind(discoveryv1.SchemeGroupVersion.WithKind(children.KindSlice + "List"))
	if err := reader.List(ctx, others, within, ofOurs); err != nil {
		return nil, fmt.Errorf("listing the EndpointSlices of Service %s/%s: %w", s.server.Namespace, resources.ServiceName(s.server), err)
	}
	for i := range others.Items {
		add(&others.Items[i], others.Items[i].ObjectMeta)
	}
	return found, nil
}

func sliceMetadata() *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(discoveryv1.SchemeGroupVersion.WithKind(children.KindSlice))
	return m
}

// deleteEndpoints deletes the Endpoints object with the Service's name, if there is one. Our Service has no use for
// it.
func deleteEndpoints(ctx context.Context, s scope) error {
	e := &metav1.PartialObjectMetadata{}
	e.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Endpoints"})
	e.Namespace, e.Name = s.server.Namespace, resources.ServiceName(s.server)
	err := s.Client.Delete(ctx, e)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting Endpoints %s/%s, which the cluster makes EndpointSlices of: %w", e.Namespace, e.Name, err)
	}
	log.FromContext(ctx).Info("deleted the Endpoints object of the Service, which leads to other pods", "endpoints", e.Name)
	return nil
}
