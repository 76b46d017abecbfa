package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	discoveryac "k8s.io/client-go/applyconfigurations/discovery/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// maxHolders bounds the owners of one object, and so its size.
const maxHolders = 100

// holdForPods makes the pods that have passive ports owners of what they need until they end: the Service, the
// NetworkPolicy and the config Secret. The garbage collector deletes an object when its last owner is gone. So when the
// FtpServer is deleted, these objects stay until the last pod has drained, whether the operator runs or not, and there
// is no finalizer that could block the deletion. A pod becomes an owner before it is given its ports.
func holdForPods(ctx context.Context, s scope, o *observed) error {
	holders := holders(o.pods)
	for _, c := range []*children.Child{o.child(children.KindService), o.child(children.KindPolicy), o.child(children.KindSecret)} {
		if err := s.children.AddOwners(ctx, c, holders); err != nil {
			return err
		}
	}
	return nil
}

// holders returns owner references to the pods that hold ports, at most maxHolders, the oldest pods first, since
// those are owners already. None of them is a controller reference, and none blocks the deletion of its pod.
func holders(pods []pod) []metav1.OwnerReference {
	oldest := slices.SortedFunc(slices.Values(pods), func(a, b pod) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	var refs []metav1.OwnerReference
	for i := range oldest {
		if len(oldest[i].held) > 0 && len(refs) < maxHolders {
			refs = append(refs, metav1.OwnerReference{APIVersion: "v1", Kind: children.KindPod, Name: oldest[i].Name, UID: oldest[i].UID})
		}
	}
	return refs
}

// drainDeleting routes the pods of a server that is being deleted and still exists.
//
// With background deletion, the default, the server is gone at once and there is nothing to do here. With foreground
// deletion it exists until its Deployment, and so its pods, are gone; but the garbage collector deletes what the pods
// own as soon as they start to drain. So the Service, the NetworkPolicy and the EndpointSlices are created again with
// the pods as their only owners: the garbage collector does not delete those before the pods are gone.
func drainDeleting(ctx context.Context, s scope) (findings, error) {
	o, err := observe(ctx, s)
	if err != nil {
		return findings{}, err
	}
	holders := holders(o.pods)
	if len(holders) == 0 {
		return findings{}, nil
	}
	plan := portplan.Compute(planInput(s, o, nil)) // without a range: the plan covers the ports that pods hold
	service := o.service()
	in := resources.Inputs{
		Server: o.asScaled(s.server), Operator: s.Operator, Exposed: plan.Exposed,
		AdvertisedAddress: findAddress(s, o).Address,
		ServiceIPFamilies: service.Spec.IPFamilies, ServiceIngress: service.Status.LoadBalancer.Ingress,
	}
	owners := make([]metaac.OwnerReferenceApplyConfiguration, 0, len(holders))
	for _, h := range holders {
		owners = append(owners, *metaac.OwnerReference().WithAPIVersion(h.APIVersion).WithKind(h.Kind).WithName(h.Name).WithUID(h.UID))
	}
	desired := resources.Service(in)
	desired.OwnerReferences = owners
	if s.server.Status.AdvertisedAddressSource == v1alpha1.AddressFromClusterIP {
		desired.Spec.WithClusterIP(s.server.Status.AdvertisedAddress) // the address that clients were given
	}
	if _, err := s.children.Ensure(ctx, s.server, o.child(children.KindService), desired); err != nil {
		return findings{}, err
	}
	if policy := resources.NetworkPolicy(in); policy != nil {
		policy.OwnerReferences = owners
		if _, err := s.children.Ensure(ctx, s.server, o.child(children.KindPolicy), policy); err != nil {
			return findings{}, err
		}
	}
	balancer := loadBalancer(ctx, s, o, portDecision{}, plan)
	return applySlices(ctx, s, o, routing{plan: plan, warmUp: warmUp(s, o, balancer)})
}

// drainDeleted updates the EndpointSlices of pods whose server is gone. A pod that drains is shown as terminating, so
// that new sessions are routed to the pods of a new server of that name; the slice of a pod that has ended is
// deleted. Everything else is left to the garbage collector.
func drainDeleted(ctx context.Context, r *Reconciler, req ctrl.Request) error {
	var list discoveryv1.EndpointSliceList
	if err := r.Client.List(ctx, &list, client.InNamespace(req.Namespace), client.MatchingLabels{v1alpha1.ServerLabel: req.Name}); err != nil {
		return fmt.Errorf("listing the EndpointSlices of %s: %w", req.NamespacedName, err)
	}
	was := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Namespace: req.Namespace, Name: req.Name}}
	for i := range list.Items {
		s := &list.Items[i]
		if !isOurSlice(s, was) || podOfSlice(s) == "" || s.DeletionTimestamp != nil {
			continue
		}
		if err := drainSlice(ctx, r, s); err != nil {
			return err
		}
	}
	return nil
}

func drainSlice(ctx context.Context, r *Reconciler, s *discoveryv1.EndpointSlice) error {
	var live corev1.Pod
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: s.Namespace, Name: metav1.GetControllerOf(s).Name}, &live)
	if apierrors.IsNotFound(err) || err == nil && live.UID != podOfSlice(s) {
		return nil // left to the garbage collector, or the pod is not in the cache yet
	}
	if err != nil {
		return fmt.Errorf("reading the pod of EndpointSlice %s/%s: %w", s.Namespace, s.Name, err)
	}
	if terminated(&live) {
		if err := r.Client.Delete(ctx, s, client.Preconditions{UID: &s.UID}); err != nil && !children.Gone(err) {
			return fmt.Errorf("deleting EndpointSlice %s/%s: %w", s.Namespace, s.Name, err)
		}
		return nil
	}
	one := pod{Pod: &live}
	one.held, _ = config.ParsePortSet(live.Annotations[v1alpha1.PassivePortsAnnotation])
	route := one.route(one.held)
	if len(s.Endpoints) != 1 || is(s.Endpoints[0].Conditions.Ready, route.Ready && !route.Terminating) &&
		is(s.Endpoints[0].Conditions.Serving, route.Serving) && is(s.Endpoints[0].Conditions.Terminating, route.Terminating) {
		return nil
	}
	desired, err := discoveryac.ExtractEndpointSlice(s, v1alpha1.FieldManager)
	if err != nil {
		return fmt.Errorf("reading what is ours of EndpointSlice %s/%s: %w", s.Namespace, s.Name, err)
	}
	if len(desired.Endpoints) != 1 {
		return nil // the operator no longer owns its endpoints
	}
	desired.WithUID(s.UID).Endpoints[0].WithConditions(resources.EndpointConditions(route))
	if err := r.Client.Apply(ctx, desired, children.FieldOwner, client.ForceOwnership); err != nil && !children.Gone(err) {
		return fmt.Errorf("applying EndpointSlice %s/%s: %w", s.Namespace, s.Name, err)
	}
	log.FromContext(ctx).Info("applied", "child", "EndpointSlice "+s.Namespace+"/"+s.Name, "why", "its pod drains, and its FtpServer is gone")
	return nil
}

func is(condition *bool, value bool) bool { return condition != nil && *condition == value }
