package controllers

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/apply"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// observed is the state of the cluster as one pass sees it. A child is as it was last read or written.
type observed struct {
	// byKind are the children of children.Kinds, by their kinds.
	byKind map[string]*children.Child
	// claim is the claim that is mounted, whether the operator created it or the spec names it; nil for an emptyDir.
	claim *children.Child
	// slices are the EndpointSlices that carry the server's label.
	slices []discoveryv1.EndpointSlice
	// pods are the server's own pods whose containers have not ended for good.
	pods []pod
	// nodes are the cluster's nodes; empty if they are not needed or may not be read.
	nodes []address.Node
}

// child returns the child of that kind.
func (o *observed) child(kind string) *children.Child { return o.byKind[kind] }

func (o *observed) deployment() *appsv1.Deployment {
	return o.child(children.KindDeployment).Object.(*appsv1.Deployment) //nolint:forcetypeassert // made as one
}

func (o *observed) service() *corev1.Service {
	if o.child(children.KindService).State == children.Foreign {
		return &corev1.Service{} // its addresses are not ours
	}
	return o.child(children.KindService).Object.(*corev1.Service) //nolint:forcetypeassert // made as one
}

func (o *observed) secret() *corev1.Secret {
	return o.child(children.KindSecret).Object.(*corev1.Secret) //nolint:forcetypeassert // made as one
}

func (o *observed) claimModes() []corev1.PersistentVolumeAccessMode {
	if o.claim == nil {
		return nil
	}
	return o.claim.Object.(*corev1.PersistentVolumeClaim).Spec.AccessModes //nolint:forcetypeassert // made as one
}

// scaledBy returns the field manager that sets the Deployment's replicas in the operator's place; empty if there is
// none and spec.replicas counts.
//
// An autoscaler should target the FtpServer, whose validation rules know what may be scaled and how far. An
// autoscaler that targets the Deployment writes through its scale subresource and owns the field from then on. If the
// operator wrote the number back, the two would change it for ever. So the operator leaves the number alone until it
// equals spec.replicas. From then on both own the field, and spec.replicas counts until the number is changed through
// the subresource again. A number that a user wrote into the Deployment itself is written back like any other edit.
func (o *observed) scaledBy(server *v1alpha1.FtpServer) string {
	if o.child(children.KindDeployment).State != children.Ours {
		return ""
	}
	deployment := o.deployment()
	if deployment.Spec.Replicas == nil || *deployment.Spec.Replicas == resources.Replicas(server) {
		return ""
	}
	owners, err := apply.Owners(deployment, "spec", "replicas")
	if err != nil {
		return ""
	}
	scaler := ""
	for _, owner := range owners {
		switch {
		case owner.Applied && owner.Subresource == "" && owner.Manager == v1alpha1.FieldManager:
			return ""
		case owner.Subresource == "scale":
			scaler = owner.Manager
		}
	}
	return scaler
}

// asScaled returns the server with the number of replicas that counts.
func (o *observed) asScaled(server *v1alpha1.FtpServer) *v1alpha1.FtpServer {
	if o.scaledBy(server) == "" {
		return server
	}
	server = server.DeepCopy()
	server.Spec.Replicas = o.deployment().Spec.Replicas
	return server
}

// observe reads the objects that the pass needs, and writes nothing.
func observe(ctx context.Context, s scope) (*observed, error) {
	o := &observed{byKind: map[string]*children.Child{}}
	var err error
	for _, kind := range children.Kinds {
		object := kind.New()
		object.SetNamespace(s.server.Namespace)
		object.SetName(kind.Name(s.server))
		if o.byKind[kind.Kind], err = s.children.Read(ctx, s.server, kind.Kind, object); err != nil {
			return nil, err
		}
	}
	if name := resources.ClaimName(s.server); name != "" {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: s.server.Namespace, Name: name}}
		if o.claim, err = s.children.Read(ctx, s.server, children.KindClaim, claim); err != nil {
			return nil, err
		}
	}
	if o.slices, err = observeSlices(ctx, s); err != nil {
		return nil, err
	}
	if o.pods, err = observePods(ctx, s, o); err != nil {
		return nil, err
	}
	o.nodes, err = observeNodes(ctx, s)
	return o, err
}

func observeSlices(ctx context.Context, s scope) ([]discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	if err := s.Client.List(ctx, &list, client.InNamespace(s.server.Namespace),
		client.MatchingLabels{v1alpha1.ServerLabel: s.server.Name}); err != nil {
		return nil, fmt.Errorf("listing the EndpointSlices of %s/%s: %w", s.server.Namespace, s.server.Name, err)
	}
	return list.Items, nil
}

func observeNodes(ctx context.Context, s scope) ([]address.Node, error) {
	if !resources.NeedsNodes(s.server) || !s.nodes.Allowed {
		return nil, nil
	}
	if err := s.nodes.Watch(); err != nil {
		return nil, fmt.Errorf("watching nodes, whose addresses a NodePort server needs: %w", err)
	}
	var list corev1.NodeList
	if err := s.Client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil { // the list is only read
		return nil, fmt.Errorf("listing nodes, whose addresses a NodePort server needs: %w", err)
	}
	var nodes []address.Node
	for i := range list.Items {
		nodes = append(nodes, address.NodeOf(&list.Items[i]))
	}
	return nodes, nil
}

// observePods finds the server's living pods: the pods in the cache, each read again from the API server if the cache
// lags behind our own last write of it, and the pods that hold ports by the status but are not, or no longer, in the
// cache.
func observePods(ctx context.Context, s scope, o *observed) ([]pod, error) {
	var list corev1.PodList
	if err := s.Client.List(ctx, &list, client.InNamespace(s.server.Namespace),
		client.MatchingLabels{v1alpha1.ServerLabel: s.server.Name}); err != nil {
		return nil, fmt.Errorf("listing the pods of %s/%s: %w", s.server.Namespace, s.server.Name, err)
	}
	var found []corev1.Pod
	known := map[string]bool{}
	for i := range list.Items {
		item := &list.Items[i]
		known[item.Name] = true
		if s.children.Tracker.Stale(children.KindPod, item) {
			again, err := livePod(ctx, s, item.Name)
			if err != nil {
				return nil, err
			}
			if again == nil {
				continue
			}
			item = again
		}
		found = append(found, *item)
	}
	for _, recorded := range s.server.Status.Pods {
		if known[recorded.Name] {
			continue
		}
		missed, err := livePod(ctx, s, recorded.Name)
		if err != nil {
			return nil, err
		}
		if missed != nil && missed.Labels[v1alpha1.ServerLabel] == s.server.Name {
			found = append(found, *missed)
		}
	}
	return ownPods(ctx, s, o, found)
}

// livePod reads a pod from the API server; it returns nil if there is none.
func livePod(ctx context.Context, s scope, name string) (*corev1.Pod, error) {
	key := types.NamespacedName{Namespace: s.server.Namespace, Name: name}
	var live corev1.Pod
	err := s.Live.Get(ctx, key, &live)
	if apierrors.IsNotFound(err) {
		s.children.Tracker.Forget(children.KindPod, key)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Pod %s: %w", key, err)
	}
	s.children.Tracker.Read(children.KindPod, &live)
	return &live, nil
}

// ownPods returns those of the found pods that live and belong to the server, with the ports that the server's status
// records for them.
func ownPods(ctx context.Context, s scope, o *observed, found []corev1.Pod) ([]pod, error) {
	recorded := map[string]config.PortSet{}
	for _, one := range s.server.Status.Pods {
		if ports, err := config.ParsePortSet(one.PassivePorts); err == nil {
			recorded[one.Name] = ports
		}
	}
	published := map[types.UID]bool{}
	for i := range o.slices {
		if slice := &o.slices[i]; isOurSlice(slice, s.server) {
			published[podOfSlice(slice)] = true
		}
	}
	chain := ownerChain{scope: s, deployment: o.child(children.KindDeployment), ours: map[types.UID]bool{}}
	var own []pod
	for i := range found {
		candidate := pod{Pod: &found[i]}
		if terminated(candidate.Pod) {
			continue
		}
		var err error
		if candidate.chained, err = chain.holds(ctx, candidate.Pod); err != nil {
			return nil, err
		}
		if !candidate.chained && !published[candidate.UID] {
			continue
		}
		candidate.held = recorded[candidate.Name]
		if len(candidate.held) == 0 {
			// An annotation that can't be parsed counts as none: no port of it can be served either.
			candidate.held, _ = config.ParsePortSet(candidate.Annotations[v1alpha1.PassivePortsAnnotation])
		}
		own = append(own, candidate)
	}
	return own, nil
}

// ownerChain verifies owner chains and reads each ReplicaSet once.
type ownerChain struct {
	scope
	deployment *children.Child
	ours       map[types.UID]bool
}

func (c ownerChain) holds(ctx context.Context, p *corev1.Pod) (bool, error) {
	owner := metav1.GetControllerOf(p)
	if d := c.deployment; owner == nil || owner.Kind != "ReplicaSet" || d.State != children.Ours && d.State != children.Leaving {
		return false, nil
	}
	if known, checked := c.ours[owner.UID]; checked {
		return known, nil
	}
	set := &metav1.PartialObjectMetadata{}
	set.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
	err := c.Client.Get(ctx, types.NamespacedName{Namespace: p.Namespace, Name: owner.Name}, set)
	if apierrors.IsNotFound(err) {
		return false, nil // or the ReplicaSet is not in the cache yet: its arrival starts a new pass
	}
	if err != nil {
		return false, fmt.Errorf("reading ReplicaSet %s/%s: %w", p.Namespace, owner.Name, err)
	}
	deployment := metav1.GetControllerOf(set)
	c.ours[owner.UID] = set.UID == owner.UID && deployment != nil && deployment.UID == c.deployment.Object.GetUID()
	return c.ours[owner.UID], nil
}

// unused reports whether no session can have been routed to the pod: it was never ready, and no slice of it says
// ready.
func (o *observed) unused(one *pod) bool { return one.neverReady() && !o.slicesSay(one, false) }

// slicesSay reports whether a slice of the pod says that it is ready; if control is true, only slices with the
// control port count.
func (o *observed) slicesSay(one *pod, control bool) bool {
	return slices.ContainsFunc(o.slices, func(s discoveryv1.EndpointSlice) bool {
		return metav1.IsControlledBy(&s, one.Pod) &&
			slices.ContainsFunc(s.Endpoints, func(e discoveryv1.Endpoint) bool {
				return e.Conditions.Ready != nil && *e.Conditions.Ready
			}) &&
			(!control || slices.ContainsFunc(s.Ports, func(port discoveryv1.EndpointPort) bool {
				return port.Name != nil && *port.Name == resources.ControlPortName
			}))
	})
}

// isOurSlice reports whether the operator created a slice for this server's Service. A slice without an owner comes
// from a backup, and the pod that it routes to no longer exists.
func isOurSlice(s client.Object, server *v1alpha1.FtpServer) bool {
	owner := metav1.GetControllerOf(s)
	return s.GetLabels()[discoveryv1.LabelManagedBy] == v1alpha1.SliceManager &&
		s.GetLabels()[discoveryv1.LabelServiceName] == resources.ServiceName(server) &&
		(owner == nil || owner.Kind == children.KindPod)
}

// podOfSlice returns the UID of the pod that a slice belongs to; empty if it belongs to none.
func podOfSlice(s client.Object) types.UID {
	if owner := metav1.GetControllerOf(s); owner != nil && owner.Kind == children.KindPod {
		return owner.UID
	}
	return ""
}
