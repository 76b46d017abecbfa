package controllers

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

// summarize collects what the status is computed from.
func (p *pass) summarize(ctx context.Context, users status.Users, certs status.Certificates) (status.Observed, error) {
	var deployment *appsv1.Deployment
	if p.observed.deploymentChild.state == ours {
		deployment = p.observed.deployment()
	}
	pods := p.podsForStatus()
	answers := p.ask(ctx)
	for i := range pods {
		if a, asked := answers[p.observed.pods[i].UID]; asked {
			pods[i].Daemon, pods[i].DaemonPending = a.report, a.pending
			if a.err != nil {
				pods[i].DaemonError = a.err.Error()
			}
		}
	}
	p.ports.report.Carried, p.ports.report.Surplus = p.carried(), p.surplusPorts()
	storage, err := p.storage(ctx)
	if err != nil {
		return status.Observed{}, err
	}
	return status.Observed{
		Server: p.server, Replicas: resources.Replicas(p.asScaled()), ScaledBy: p.scaledBy(), Deployment: deployment,
		Pods: pods, Plan: p.plan, Ports: p.ports.report, Address: p.address, DataPeer: p.dataPeer,
		LoadBalancer: p.loadBalancer(ctx), ClientNetworks: p.clientNetworks(), Port: p.port(), ImplicitPort: p.implicitPort(), Users: users, Certificates: certs,
		Storage: storage, CRD: p.CRD.state(), ConfigHash: p.configHash, Problems: p.problems,
		SelectorLabels: resources.SelectorLabels(p.server),
	}, nil
}

// podsForStatus returns the pods in the order of p.observed.pods, without their daemons' reports.
func (p *pass) podsForStatus() []status.Pod {
	pods := make([]status.Pod, 0, len(p.observed.pods))
	for i := range p.observed.pods {
		one := &p.observed.pods[i]
		pods = append(pods, status.Pod{
			Name: one.Name, Node: one.Spec.NodeName, Ports: one.held, Address: p.podAddress(one),
			Running: one.running(), Ready: one.conditionTrue(corev1.PodReady), Terminating: one.terminating(),
			Trouble: trouble(one, p.Clock.Now()),
		})
	}
	return pods
}

// report writes the status if it has changed, and then emits events for what is new in it.
func (p *pass) report(ctx context.Context, after v1alpha1.FtpServerStatus) error {
	p.told.tell(ctx, p.server.UID, p.problems, after)
	before := p.server.Status
	server := p.server
	if !sameStatus(before, p.writable(after)) {
		if err := p.writeStatus(ctx, after); err != nil {
			if len(crdschema.Refused(err)) == 0 {
				return err
			}
			// The API server refuses the status; that is no reason to stop routing. The error is logged in every
			// pass.
			log.FromContext(ctx).Error(err, "the status can't be written: is the CustomResourceDefinition that of the operator's version?")
		}
	}
	now := p.Clock.Now()
	events, next := p.graces.due(server.UID, status.Events(before, after), after, now)
	for _, e := range events {
		kind := corev1.EventTypeNormal
		if e.Warning {
			kind = corev1.EventTypeWarning
		}
		p.Recorder.Eventf(server, nil, kind, e.Reason, "Reconcile", "%s", bounded.Text(e.Message, bounded.Event))
	}
	if !next.IsZero() {
		p.lookAgain(next.Sub(now))
	}
	return nil
}

func (r *Reconciler) now() metav1.Time { return metav1.NewTime(r.Clock.Now().Truncate(timeStep)) }
