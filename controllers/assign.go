package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// makePlan plans the passive ports, and assigns ports to the pods that have none.
func (p *pass) makePlan(ctx context.Context) error {
	p.plan = portplan.Compute(p.planInput())
	if len(p.plan.Assign) == 0 {
		return nil
	}
	return p.assign(ctx)
}

// assign assigns ports to the pods that have none.
//
// A port must never be assigned twice: not because a cache lags, and not by two operators of which one has lost its
// lease without knowing it yet. So the plan is made from a live read, and committed to status.pods by a write that
// carries the resource version of that read. Of two writers that read the same state only one can commit, and
// whatever reads later sees what was committed, whether the pods are annotated yet or not. The annotations are then
// written from the record. The record never changes while the pod lives, so they may be written by any operator and
// any number of times.
func (p *pass) assign(ctx context.Context) error {
	server := &v1alpha1.FtpServer{}
	if err := p.Live.Get(ctx, client.ObjectKeyFromObject(p.server), server); err != nil {
		return fmt.Errorf("reading FtpServer %s/%s: %w", p.server.Namespace, p.server.Name, err)
	}
	if server.UID != p.server.UID || server.Generation != p.server.Generation ||
		server.Status.AllocatedPortRange != p.server.Status.AllocatedPortRange {
		return &changedError{"the FtpServer changed since it was read"}
	}
	var list corev1.PodList
	if err := p.Live.List(ctx, &list, client.InNamespace(server.Namespace),
		client.MatchingLabels{v1alpha1.ServerLabel: server.Name}); err != nil {
		return fmt.Errorf("listing the pods of %s/%s: %w", server.Namespace, server.Name, err)
	}
	pods, err := p.ownPods(ctx, list.Items, server)
	if err != nil {
		return err
	}
	p.server = server
	p.observed.pods = pods
	p.plan = portplan.Compute(p.planInput())
	if len(p.plan.Assign) == 0 {
		return nil
	}
	for i := range pods {
		if ports := p.plan.Assign[pods[i].Name]; len(ports) > 0 {
			pods[i].held = ports
			log.FromContext(ctx).Info("assigned passive ports", "pod", pods[i].Name, "ports", ports.String())
		}
	}
	recorded := *server.Status.DeepCopy()
	recorded.Pods = status.Pods(p.podsForStatus())
	if err := p.writeStatus(ctx, recorded); err != nil && len(crdschema.Refused(err)) == 0 {
		return err
	}
	if err := p.recordOnPods(ctx); err != nil {
		return err
	}
	p.plan = portplan.Compute(p.planInput())
	return nil
}

// recordOnPods records the passive ports in the pods' annotations where the status can't hold them, because the
// CustomResourceDefinition is older than the operator and lacks the field. Each write is conditional on the pod's
// resource version, so of two operators only one can assign ports to the pod. Only the leader's lease then prevents
// that different pods get the same ports; the plan detects that case and routes each port to one pod.
func (p *pass) recordOnPods(ctx context.Context) error {
	if p.recorded() {
		return nil
	}
	for i := range p.observed.pods {
		one := &p.observed.pods[i]
		if ports := one.held.String(); len(p.plan.Assign[one.Name]) > 0 && one.Annotations[v1alpha1.PassivePortsAnnotation] != ports {
			change := map[string]any{v1alpha1.PassivePortsAnnotation: ports}
			if own := p.podAddress(one).Address; own != "" {
				change[v1alpha1.AdvertisedAddressAnnotation] = own
			}
			if err := p.annotatePod(ctx, one, change, one.ResourceVersion); err != nil {
				return err
			}
		}
	}
	return nil
}

// recorded reports whether the status records for every pod the ports that it holds.
func (p *pass) recorded() bool {
	recorded := map[string]string{}
	for _, s := range p.server.Status.Pods {
		recorded[s.Name] = s.PassivePorts
	}
	for i := range p.observed.pods {
		if one := &p.observed.pods[i]; recorded[one.Name] != one.held.String() {
			return false
		}
	}
	return true
}
