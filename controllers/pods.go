package controllers

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
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

// over reports whether the pod's containers have ended for good, so that it holds nothing any more.
func over(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// containersReady reports whether the pod's containers pass their probes. The pod's own readiness would cause a
// deadlock: it waits for the readiness gate, which waits for the slice to say ready.
func (p *pod) containersReady() bool { return p.conditionTrue(corev1.ContainersReady) }

// lost reports whether the pod's node has been unreachable for so long that the cluster has set the pod to not ready.
// When containers fail, the kubelet sets both Ready and ContainersReady to false; while the readiness gate is closed
// it sets only Ready to false, with its own reason. Only the node lifecycle controller sets Ready to false and
// nothing else.
func (p *pod) lost() bool {
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
func (p *pod) takesSessions() bool { return p.containersReady() && !p.lost() && !p.terminating() }

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

// unused reports whether no session can have been routed to the pod: it was never ready, and no slice of it says
// ready.
func (p *pass) unused(one *pod) bool { return one.neverReady() && !p.slicesSay(one, false) }

// daemon returns the state of the daemon's container; nil before there is one.
func (p *pod) daemon() *corev1.ContainerStatus {
	for i := range p.Status.ContainerStatuses {
		if p.Status.ContainerStatuses[i].Name == resources.ContainerName {
			return &p.Status.ContainerStatuses[i]
		}
	}
	return nil
}

func (p *pod) running() bool {
	d := p.daemon()
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
		Terminating: p.terminating() || p.lost(),
	}
	for _, ip := range p.Status.PodIPs {
		r.IPs = append(r.IPs, ip.IP)
	}
	if len(r.IPs) == 0 && p.Status.PodIP != "" {
		r.IPs = []string{p.Status.PodIP}
	}
	return r
}

// observePods finds the server's living pods: the pods in the cache, each read again from the API server if the cache
// lags behind our own last write of it, and the pods that hold ports by the status but are not, or no longer, in the
// cache.
func (p *pass) observePods(ctx context.Context) error {
	var list corev1.PodList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.server.Namespace),
		client.MatchingLabels{v1alpha1.ServerLabel: p.server.Name}); err != nil {
		return fmt.Errorf("listing the pods of %s/%s: %w", p.server.Namespace, p.server.Name, err)
	}
	var found []corev1.Pod
	known := map[string]bool{}
	for i := range list.Items {
		item := &list.Items[i]
		known[item.Name] = true
		if p.fresh.stale(kindPod, item) {
			again, err := p.livePod(ctx, item.Name)
			if err != nil {
				return err
			}
			if again == nil {
				continue
			}
			item = again
		}
		found = append(found, *item)
	}
	for _, recorded := range p.server.Status.Pods {
		if known[recorded.Name] {
			continue
		}
		missed, err := p.livePod(ctx, recorded.Name)
		if err != nil {
			return err
		}
		if missed != nil && missed.Labels[v1alpha1.ServerLabel] == p.server.Name {
			found = append(found, *missed)
		}
	}
	var err error
	p.observed.pods, err = p.ownPods(ctx, found, p.server)
	return err
}

// livePod reads a pod from the API server; it returns nil if there is none.
func (p *pass) livePod(ctx context.Context, name string) (*corev1.Pod, error) {
	key := types.NamespacedName{Namespace: p.server.Namespace, Name: name}
	var live corev1.Pod
	err := p.Live.Get(ctx, key, &live)
	if apierrors.IsNotFound(err) {
		p.fresh.forget(kindPod, key)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Pod %s: %w", key, err)
	}
	p.fresh.read(kindPod, &live)
	return &live, nil
}

// ownPods returns those of the found pods that live and belong to the server.
func (p *pass) ownPods(ctx context.Context, found []corev1.Pod, server *v1alpha1.FtpServer) ([]pod, error) {
	recorded := map[string]config.PortSet{}
	for _, s := range server.Status.Pods {
		if ports, err := config.ParsePortSet(s.PassivePorts); err == nil {
			recorded[s.Name] = ports
		}
	}
	published := map[types.UID]bool{}
	for i := range p.observed.slices {
		if s := &p.observed.slices[i]; isOurSlice(s, p.server) {
			published[podOfSlice(s)] = true
		}
	}
	chain := ownerChain{pass: p, ours: map[types.UID]bool{}}
	var own []pod
	for i := range found {
		candidate := pod{Pod: &found[i]}
		if over(candidate.Pod) {
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
	*pass
	ours map[types.UID]bool
}

func (c ownerChain) holds(ctx context.Context, p *corev1.Pod) (bool, error) {
	owner := metav1.GetControllerOf(p)
	if d := c.observed.deploymentChild; owner == nil || owner.Kind != "ReplicaSet" || d.state != ours && d.state != leaving {
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
	c.ours[owner.UID] = set.UID == owner.UID && deployment != nil && deployment.UID == c.observed.deploymentChild.object.GetUID()
	return c.ours[owner.UID], nil
}

// planInput returns the input of the port plan.
func (p *pass) planInput() portplan.Input { return p.planInputOf(p.observed.pods) }

func (p *pass) planInputOf(pods []pod) portplan.Input {
	in := portplan.Input{
		Range:    p.ports.usable,
		Replicas: int(resources.Replicas(p.asScaled())),
		Surge:    resources.Surge(p.server, p.observed.claimModes()),
	}
	for i := range pods {
		one := &pods[i]
		if len(one.held) == 0 && (!one.chained || p.observed.deploymentChild.state != ours) {
			continue // the pod must not be assigned any
		}
		in.Pods = append(in.Pods, portplan.Pod{
			Name: one.Name, UID: string(one.UID), Created: one.CreationTimestamp.Time,
			Held: one.held, Template: one.Annotations[v1alpha1.PassiveRangeAnnotation],
			Ready: one.containersReady() && !one.lost(), Unused: p.unused(one), Terminating: one.terminating(),
		})
	}
	return in
}
