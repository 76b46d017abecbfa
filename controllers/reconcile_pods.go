package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

// planInput returns the input of the port plan, for pods that may be assigned the usable ports.
func planInput(s scope, o *observed, usable config.PortSet) portplan.Input {
	in := portplan.Input{
		Range:    usable,
		Replicas: int(resources.Replicas(o.asScaled(s.server))),
		Surge:    resources.Surge(s.server, o.claimModes()),
	}
	for i := range o.pods {
		one := &o.pods[i]
		if len(one.held) == 0 && (!one.chained || o.child(children.KindDeployment).State != children.Ours) {
			continue // the pod must not be assigned any
		}
		in.Pods = append(in.Pods, portplan.Pod{
			Name: one.Name, UID: string(one.UID), Created: one.CreationTimestamp.Time,
			Held: one.held, Template: one.Annotations[v1alpha1.PassiveRangeAnnotation],
			Ready: one.containersReady() && !one.nodeLost(), Unused: o.unused(one), Terminating: one.terminating(),
		})
	}
	return in
}

// assignPorts plans the passive ports, and assigns ports to the pods that have none. It returns the pods with their
// ports.
//
// A port must never be assigned twice: not because a cache lags, and not by two operators of which one has lost its
// lease without knowing it yet. So the plan is made from a live read, and committed to status.pods by a write that
// carries the resource version of that read. Of two writers that read the same state only one can commit, and
// whatever reads later sees what was committed, whether the pods are annotated yet or not. The annotations are then
// written from the record. The record never changes while the pod lives, so they may be written by any operator and
// any number of times.
func assignPorts(ctx context.Context, s scope, o *observed, usable config.PortSet) (scope, *observed, portplan.Plan, error) {
	plan := portplan.Compute(planInput(s, o, usable))
	if len(plan.Assign) == 0 {
		return s, o, plan, nil
	}
	s, o, err := readAgain(ctx, s, o)
	if err != nil {
		return s, o, plan, err
	}
	plan = portplan.Compute(planInput(s, o, usable))
	if len(plan.Assign) == 0 {
		return s, o, plan, nil
	}
	for i := range o.pods {
		if ports := plan.Assign[o.pods[i].Name]; len(ports) > 0 {
			o.pods[i].held = ports
			log.FromContext(ctx).Info("assigned passive ports", "pod", o.pods[i].Name, "ports", ports.String())
		}
	}
	recorded := *s.server.Status.DeepCopy()
	recorded.Pods = status.Pods(podsForStatus(s, o))
	if s, err = writeStatus(ctx, s, recorded); err != nil && len(crdschema.Refused(err)) == 0 {
		return s, o, plan, err
	}
	if err := recordOnPods(ctx, s, o, plan); err != nil {
		return s, o, plan, err
	}
	return s, o, portplan.Compute(planInput(s, o, usable)), nil
}

// readAgain reads the server and its pods from the API server.
func readAgain(ctx context.Context, s scope, o *observed) (scope, *observed, error) {
	server := &v1alpha1.FtpServer{}
	if err := s.Live.Get(ctx, client.ObjectKeyFromObject(s.server), server); err != nil {
		return s, o, fmt.Errorf("reading FtpServer %s/%s: %w", s.server.Namespace, s.server.Name, err)
	}
	if server.UID != s.server.UID || server.Generation != s.server.Generation ||
		server.Status.AllocatedPortRange != s.server.Status.AllocatedPortRange {
		return s, o, &children.ChangedError{What: "the FtpServer changed since it was read"}
	}
	s = s.with(server)
	var list corev1.PodList
	if err := s.Live.List(ctx, &list, client.InNamespace(server.Namespace),
		client.MatchingLabels{v1alpha1.ServerLabel: server.Name}); err != nil {
		return s, o, fmt.Errorf("listing the pods of %s/%s: %w", server.Namespace, server.Name, err)
	}
	pods, err := ownPods(ctx, s, o, list.Items)
	if err != nil {
		return s, o, err
	}
	again := *o
	again.pods = pods
	return s, &again, nil
}

// recordOnPods records the passive ports in the pods' annotations where the status can't hold them, because the
// CustomResourceDefinition is older than the operator and lacks the field. Each write is conditional on the pod's
// resource version, so of two operators only one can assign ports to the pod. Only the leader's lease then prevents
// that different pods get the same ports; the plan detects that case and routes each port to one pod.
func recordOnPods(ctx context.Context, s scope, o *observed, plan portplan.Plan) error {
	if recorded(s.server, o.pods) {
		return nil
	}
	for i := range o.pods {
		one := &o.pods[i]
		if ports := one.held.String(); len(plan.Assign[one.Name]) > 0 && one.Annotations[v1alpha1.PassivePortsAnnotation] != ports {
			change := map[string]any{v1alpha1.PassivePortsAnnotation: ports}
			if own := podAddress(s, o, one).Address; own != "" {
				change[v1alpha1.AdvertisedAddressAnnotation] = own
			}
			if err := annotatePod(ctx, s, one, change, one.ResourceVersion); err != nil {
				return err
			}
		}
	}
	return nil
}

// recorded reports whether the status records for every pod the ports that it holds.
func recorded(server *v1alpha1.FtpServer, pods []pod) bool {
	recorded := map[string]string{}
	for _, one := range server.Status.Pods {
		recorded[one.Name] = one.PassivePorts
	}
	for i := range pods {
		if one := &pods[i]; recorded[one.Name] != one.held.String() {
			return false
		}
	}
	return true
}

// replacePods deletes the pods that the plan replaces. They drain as in a rolling update, and the Deployment creates
// others.
func replacePods(ctx context.Context, s scope, o *observed, plan portplan.Plan) error {
	for _, r := range plan.Replace {
		i := slices.IndexFunc(o.pods, func(one pod) bool { return one.Name == r.Pod })
		if i < 0 || !o.pods[i].chained || o.child(children.KindDeployment).State != children.Ours {
			continue // nothing would create another pod
		}
		one := o.pods[i].Pod
		err := s.Client.Delete(ctx, one, client.Preconditions{UID: &one.UID})
		if children.Gone(err) {
			return podGone(one)
		}
		if err != nil {
			return fmt.Errorf("deleting Pod %s/%s, which must be replaced (%s): %w", one.Namespace, one.Name, r.Cause, err)
		}
		s.Recorder.Eventf(s.server, one, corev1.EventTypeNormal, "Replacing", "Delete", "%s", bounded.Text(replaceMessage(r), bounded.Event))
	}
	return nil
}

func replaceMessage(r portplan.Replacement) string {
	switch r.Cause {
	case portplan.CauseConflict:
		return fmt.Sprintf("pod %s is replaced: it holds passive ports that an older pod holds too", r.Pod)
	case portplan.CauseNeverReady:
		return fmt.Sprintf("pod %s is replaced: it was never ready, and holds passive ports that are no longer declared", r.Pod)
	}
	return fmt.Sprintf("pod %s is replaced: it holds passive ports without which another pod can't start", r.Pod)
}
