package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// summarize gathers what the status is computed from.
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
	p.ports.report.Carried = p.carried()
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

// podsForStatus are the pods in the order of p.observed.pods, without their daemons' reports.
func (p *pass) podsForStatus() []status.Pod {
	pods := make([]status.Pod, 0, len(p.observed.pods))
	for i := range p.observed.pods {
		one := &p.observed.pods[i]
		pods = append(pods, status.Pod{
			Name: one.Name, Node: one.Spec.NodeName, Ports: one.held,
			Running: one.running(), Ready: one.conditionTrue(corev1.PodReady), Terminating: one.terminating(),
			Trouble: trouble(one, p.Clock.Now()),
		})
	}
	return pods
}

// report writes the status, if it changed, and then tells of what is new in it.
func (p *pass) report(ctx context.Context, after v1alpha1.FtpServerStatus) error {
	before := p.server.Status
	server := p.server
	if !sameStatus(before, p.writable(after)) {
		if err := p.writeStatus(ctx, after); err != nil {
			if len(crdschema.Refused(err)) == 0 {
				return err
			}
			// The schema won't take it, which is no reason to stop routing. The log tells of it in each pass.
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
		p.Recorder.Eventf(server, nil, kind, e.Reason, "Reconcile", "%s", e.Message)
	}
	if !next.IsZero() {
		p.lookAgain(next.Sub(now))
	}
	return nil
}

// sameStatus compares two statuses. The order of conditions, in which others' may be amid ours, does not count.
func sameStatus(a, b v1alpha1.FtpServerStatus) bool {
	byType := func(conditions []metav1.Condition) map[string]metav1.Condition {
		m := map[string]metav1.Condition{}
		for _, c := range conditions {
			m[c.Type] = c
		}
		return m
	}
	if !equality.Semantic.DeepEqual(byType(a.Conditions), byType(b.Conditions)) {
		return false
	}
	a.Conditions, b.Conditions = nil, nil
	return equality.Semantic.DeepEqual(a, b)
}

// writeStatus applies the status by the operator's field manager, on condition that the server is
// still as it was read: status.pods is the record of the passive ports, and nobody may write it
// who has not seen its last state. Conditions of others are left to them.
func (p *pass) writeStatus(ctx context.Context, s v1alpha1.FtpServerStatus) error {
	own := s
	own.Conditions = nil
	for _, c := range s.Conditions {
		if status.Ours(c.Type) {
			own.Conditions = append(own.Conditions, c)
		}
	}
	u, err := p.applyStatus(ctx, own)
	// A refusal need not name all the fields that the next one does.
	for range 3 {
		fields := crdschema.Refused(err)
		if len(fields) == 0 || p.CRD == nil || !p.CRD.refuse(fields) {
			break
		}
		log.FromContext(ctx).Error(err, "the API server refuses a part of the status, as if the CustomResourceDefinition were older than the operator: writing it without", "fields", fields)
		u, err = p.applyStatus(ctx, own)
	}
	if err != nil {
		return fmt.Errorf("writing the status of FtpServer %s/%s: %w", p.server.Namespace, p.server.Name, err)
	}
	written := &v1alpha1.FtpServer{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, written); err != nil {
		return fmt.Errorf("decoding FtpServer %s/%s: %w", p.server.Namespace, p.server.Name, err)
	}
	p.server = written
	p.fresh.wrote(kindServer, written)
	return nil
}

// applyStatus applies the status without what the CustomResourceDefinition lacks.
func (p *pass) applyStatus(ctx context.Context, s v1alpha1.FtpServerStatus) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return nil, fmt.Errorf("encoding the status: %w", err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	crdschema.Prune(u.Object, p.CRD.state().Missing)
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindServer))
	u.SetNamespace(p.server.Namespace)
	u.SetName(p.server.Name)
	u.SetUID(p.server.UID)
	u.SetResourceVersion(p.server.ResourceVersion)
	return u, p.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), fieldOwner, client.ForceOwnership)
}

// writable is the status as the CustomResourceDefinition can hold it.
func (p *pass) writable(s v1alpha1.FtpServerStatus) v1alpha1.FtpServerStatus {
	missing := p.CRD.state().Missing
	if len(missing) == 0 {
		return s
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return s
	}
	object := map[string]any{"status": content}
	crdschema.Prune(object, missing)
	var pruned v1alpha1.FtpServer
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &pruned); err != nil {
		return s
	}
	return pruned.Status
}

func (r *Reconciler) now() metav1.Time { return metav1.NewTime(r.Clock.Now().Truncate(timeStep)) }
