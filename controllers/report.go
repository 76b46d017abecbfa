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

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// summarize gathers what the status is computed from.
func (p *pass) summarize(ctx context.Context, users status.Users, certs status.Certificates) status.Observed {
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
	return status.Observed{
		Server: p.server, Replicas: resources.Replicas(p.asScaled()), ScaledBy: p.scaledBy(), Deployment: deployment,
		Pods: pods, Plan: p.plan, Ports: p.ports.report, Address: p.address, DataPeer: p.dataPeer,
		LoadBalancer: p.loadBalancer(ctx), ClientNetworks: p.clientNetworks(), Port: p.port(), ImplicitPort: p.implicitPort(), Users: users, Certificates: certs,
		Storage: p.storage(), ConfigHash: p.configHash, Problems: p.problems,
		SelectorLabels: resources.SelectorLabels(p.server),
	}
}

// podsForStatus are the pods in the order of p.observed.pods, without their daemons' reports.
func (p *pass) podsForStatus() []status.Pod {
	pods := make([]status.Pod, 0, len(p.observed.pods))
	for i := range p.observed.pods {
		one := &p.observed.pods[i]
		pods = append(pods, status.Pod{
			Name: one.Name, Node: one.Spec.NodeName, Ports: one.held,
			Running: one.running(), Ready: one.conditionTrue(corev1.PodReady), Terminating: one.terminating(),
			Trouble: trouble(one),
		})
	}
	return pods
}

// trouble is why a pod's daemon does not run, if it is more than being on its way.
func trouble(p *pod) string {
	for i := range p.Status.Conditions {
		c := &p.Status.Conditions[i]
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Reason + ": " + c.Message
		}
	}
	d := p.daemon()
	if d == nil {
		return ""
	}
	if w := d.State.Waiting; w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
		text := w.Reason
		if w.Message != "" {
			text += ": " + w.Message
		}
		if t := d.LastTerminationState.Terminated; t != nil && t.Message != "" {
			text += "; it ended with: " + t.Message
		}
		return text
	}
	if t := d.State.Terminated; t != nil {
		return fmt.Sprintf("%s: exit code %d", t.Reason, t.ExitCode)
	}
	return ""
}

// report writes the status, if it changed, and then tells of what is new in it.
func (p *pass) report(ctx context.Context, after v1alpha1.FtpServerStatus) error {
	before := p.server.Status
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	server := p.server
	if err := p.writeStatus(ctx, after); err != nil {
		return err
	}
	for _, e := range status.Events(before, after) {
		kind := corev1.EventTypeNormal
		if e.Warning {
			kind = corev1.EventTypeWarning
		}
		p.Recorder.Eventf(server, nil, kind, e.Reason, "Reconcile", "%s", e.Message)
	}
	return nil
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
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&own)
	if err != nil {
		return fmt.Errorf("encoding the status: %w", err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindServer))
	u.SetNamespace(p.server.Namespace)
	u.SetName(p.server.Name)
	u.SetUID(p.server.UID)
	u.SetResourceVersion(p.server.ResourceVersion)
	if err := p.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), fieldOwner, client.ForceOwnership); err != nil {
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

func (r *Reconciler) now() metav1.Time { return metav1.NewTime(r.Clock.Now().Truncate(timeStep)) }
