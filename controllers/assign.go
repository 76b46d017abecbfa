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

// makePlan plans the passive ports, and gives ports to the pods that have none.
func (p *pass) makePlan(ctx context.Context) error {
	p.plan = portplan.Compute(p.planInput())
	if len(p.plan.Assign) == 0 {
		return nil
	}
	return p.assign(ctx)
}

// assign gives ports to the pods that have none.
//
// A port must never be given twice, not from a cache that lags, and not by two operators of which
// one has lost its lease without knowing it yet. So the plan is made from a live read, and
// committed to status.pods by a write that carries the resource version of that very read: of two
// writers that read the same state only one can commit, and whoever reads later sees what was
// committed, be the pods annotated yet or not. The annotations are then written from the
// record, which never changes while the pod lives; anybody may write them, as often as they like.
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

// recordOnPods makes the pods' annotations the record of their passive ports where the status can't be, since the
// CustomResourceDefinition is older than the operator and lacks the field. Each is written on condition that
// the pod is as it was read, so that of two operators only one gives it ports. That different pods are given
// the same ports is kept out by the leader's lease alone then; the plan finds it and sends connections to one.
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

// recorded reports whether the status says of each pod which ports it holds.
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
