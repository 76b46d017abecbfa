package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/daemonclient"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

// summarize collects what the status is computed from, and asks the daemons what they serve.
func summarize(ctx context.Context, s scope, o *observed, p pass, problems []status.Problem) (status.Observed, error) {
	var deployment *appsv1.Deployment
	if o.child(children.KindDeployment).State == children.Ours {
		deployment = o.deployment()
	}
	pods := podsForStatus(s, o)
	answers := s.daemons.Poll(ctx, podsToAsk(o))
	for i := range pods {
		if a, asked := answers[o.pods[i].UID]; asked {
			pods[i].Daemon, pods[i].DaemonPending = a.Report, a.Pending
			if a.Err != nil {
				pods[i].DaemonError = a.Err.Error()
			}
		}
	}
	storage, err := observeStorage(ctx, s, o, p.applied.claimRefusal)
	if err != nil {
		return status.Observed{}, err
	}
	return status.Observed{
		Server: s.server, Replicas: resources.Replicas(o.asScaled(s.server)), ScaledBy: o.scaledBy(s.server), Deployment: deployment,
		Pods: pods, Plan: p.plan,
		Ports: status.Ports{
			Carried: o.carried(), Surplus: surplusPorts(o, p.ports.blocked, p.want.inputs), Foreign: p.routed.foreign,
			Taken: p.ports.taken, Shared: p.ports.shared, Missing: p.ports.missing,
		},
		Address: p.want.address, DataPeer: p.want.dataPeer,
		LoadBalancer: loadBalancer(ctx, s, o, p.ports, p.plan), ClientNetworks: clientNetworks(s.server, o, p.want.inputs),
		Port:         o.dialled(s.server, resources.ControlPortName, resources.ServicePort(s.server)),
		ImplicitPort: o.implicitPort(s.server, p.certs),
		Users:        p.users.report, Certificates: p.certs.report,
		Storage: storage, CRD: s.CRD.State(), ConfigHash: p.applied.configHash, Problems: problems,
		SelectorLabels: resources.SelectorLabels(s.server),
	}, nil
}

// podsToAsk returns the pods whose daemons are asked: those that run and are not terminating.
func podsToAsk(o *observed) []daemonclient.Pod {
	var pods []daemonclient.Pod
	for i := range o.pods {
		if one := &o.pods[i]; one.running() && !one.terminating() {
			pods = append(pods, daemonclient.Pod{UID: one.UID, IP: one.Status.PodIP})
		}
	}
	return pods
}

// podsForStatus returns the pods in the order of o.pods, without their daemons' reports.
func podsForStatus(s scope, o *observed) []status.Pod {
	pods := make([]status.Pod, 0, len(o.pods))
	for i := range o.pods {
		one := &o.pods[i]
		pods = append(pods, status.Pod{
			Name: one.Name, Node: one.Spec.NodeName, Ports: one.held, Address: podAddress(s, o, one),
			Running: one.running(), Ready: one.conditionTrue(corev1.PodReady), Terminating: one.terminating(),
			Trouble: status.TroubleOf(one.Pod, s.Clock.Now()),
		})
	}
	return pods
}

// surplusPorts returns the ports that the Service carries and should not carry; none while the Service can't be
// changed.
func surplusPorts(o *observed, blocked bool, in resources.Inputs) []string {
	if o.child(children.KindService).State != children.Ours || blocked {
		return nil
	}
	type key struct {
		port     int32
		protocol corev1.Protocol
	}
	wanted := map[key]bool{}
	for _, port := range resources.Service(in).Spec.Ports {
		wanted[key{*port.Port, *port.Protocol}] = true
	}
	var surplus []string
	for _, port := range o.service().Spec.Ports {
		if !wanted[key{port.Port, port.Protocol}] {
			surplus = append(surplus, fmt.Sprintf("%s (%d/%s)", port.Name, port.Port, port.Protocol))
		}
	}
	return surplus
}

// clientNetworks collects what decides whether restrictions on the clients' networks are effective.
func clientNetworks(server *v1alpha1.FtpServer, o *observed, in resources.Inputs) status.ClientNetworks {
	spec, service := &server.Spec, o.service()
	n := status.ClientNetworks{
		Allowed: len(spec.NetworkPolicy.AllowedNetworks) > 0,
		Ranges:  resources.ServiceType(server) == corev1.ServiceTypeLoadBalancer && len(spec.Service.LoadBalancerSourceRanges) > 0,
		Policy:  resources.NetworkPolicyEnabled(server),
		Real:    resources.RealClientAddresses(o.asScaled(server), service.Status.LoadBalancer.Ingress),
		Proxied: spec.Service.ProxyProtocol != nil,
	}
	if declared := resources.Service(in).Spec.LoadBalancerSourceRanges; !slices.Equal(service.Spec.LoadBalancerSourceRanges, declared) {
		n.Foreign = service.Spec.LoadBalancerSourceRanges
	}
	for i := range service.Spec.Ports {
		n.NodePorts = n.NodePorts || service.Spec.Ports[i].NodePort != 0
	}
	return n
}

// implicitPort returns the port for implicit TLS that clients dial; 0 if there is none.
func (o *observed) implicitPort(server *v1alpha1.FtpServer, certs certificates) int32 {
	implicit := resources.ImplicitTLS(server)
	if implicit == nil || len(certs.pairs) == 0 {
		return 0
	}
	return o.dialled(server, resources.ImplicitPortName, implicit.Port)
}

// dialled returns the port that clients dial to reach the given port of the Service; for type NodePort it is 0 until the
// Service has one.
func (o *observed) dialled(server *v1alpha1.FtpServer, name string, servicePort int32) int32 {
	if resources.ServiceType(server) != corev1.ServiceTypeNodePort {
		return servicePort
	}
	for _, port := range o.service().Spec.Ports {
		if port.Name == name {
			return port.NodePort
		}
	}
	return 0
}

// report writes the status if it has changed, and then emits events for what is new in it. It returns the time after
// which it must be called again for an event that is held back; 0 if there is none.
func report(ctx context.Context, s scope, problems []status.Problem, after v1alpha1.FtpServerStatus) (scope, time.Duration, error) {
	s.problemLog.Tell(ctx, s.server.UID, problems, after)
	before := s.server
	if !sameStatus(before.Status, writable(s, after)) {
		written, err := writeStatus(ctx, s, after)
		if err != nil && len(crdschema.Refused(err)) == 0 {
			return written, 0, err
		}
		if err != nil {
			// The API server refuses the status; that is no reason to stop routing. The error is logged in every
			// pass.
			log.FromContext(ctx).Error(err, "the status can't be written: is the CustomResourceDefinition that of the operator's version?")
		}
		s = written
	}
	now := s.Clock.Now()
	events, next := s.heldEvents.Due(before.UID, status.Events(before.Status, after), after, now)
	for _, e := range events {
		kind := corev1.EventTypeNormal
		if e.Warning {
			kind = corev1.EventTypeWarning
		}
		s.Recorder.Eventf(before, nil, kind, e.Reason, "Reconcile", "%s", bounded.Text(e.Message, bounded.Event))
	}
	if next.IsZero() {
		return s, 0, nil
	}
	return s, max(next.Sub(now), time.Millisecond), nil
}

// writeStatus applies the status with the operator's field manager, on condition that the server has not changed
// since it was read: status.pods is the record of the passive ports, and no operator may write it without having seen
// its last state. It returns the scope with the server as written. Conditions of other managers are left alone. Everything else in the status is ours, even if a
// restored backup has made another manager its owner; an apply leaves such fields in place, so the status is then
// replaced.
func writeStatus(ctx context.Context, s scope, wanted v1alpha1.FtpServerStatus) (scope, error) {
	own, others := splitStatus(wanted)
	u, err := applyStatus(ctx, s, own)
	// A refusal may name only some of the fields; the next one may name others.
	for range 3 {
		fields := crdschema.Refused(err)
		if len(fields) == 0 || s.CRD == nil || !s.CRD.Refuse(fields) {
			break
		}
		log.FromContext(ctx).Error(err, "the API server refuses a part of the status, as if the CustomResourceDefinition were older than the operator: writing it without", "fields", fields)
		u, err = applyStatus(ctx, s, own)
	}
	if err != nil {
		return s, fmt.Errorf("writing the status of FtpServer %s/%s: %w", s.server.Namespace, s.server.Name, err)
	}
	if s, err = statusWritten(s, u); err != nil {
		return s, err
	}
	own = writable(s, own)
	if written, _ := splitStatus(s.server.Status); sameStatus(written, own) {
		return s, nil
	}
	own.Conditions = append(own.Conditions, others...)
	return replaceStatus(ctx, s, own)
}

// sameStatus reports whether two statuses are equal. The order of conditions does not count, since conditions of
// other managers may be among ours.
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

// splitStatus returns the status without the conditions of other managers, and those conditions.
func splitStatus(whole v1alpha1.FtpServerStatus) (own v1alpha1.FtpServerStatus, others []metav1.Condition) {
	own = whole
	own.Conditions = nil
	for _, c := range whole.Conditions {
		if status.Ours(c.Type) {
			own.Conditions = append(own.Conditions, c)
		} else {
			others = append(others, c)
		}
	}
	return own, others
}

// replaceStatus replaces the whole status, whichever managers own its fields.
func replaceStatus(ctx context.Context, s scope, whole v1alpha1.FtpServerStatus) (scope, error) {
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": s.server.ResourceVersion},
		{"op": "replace", "path": "/status", "value": whole},
	})
	if err != nil {
		return s, fmt.Errorf("encoding the status: %w", err)
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(children.KindServer))
	u.SetNamespace(s.server.Namespace)
	u.SetName(s.server.Name)
	if err := s.Client.Status().Patch(ctx, u, client.RawPatch(types.JSONPatchType, patch), children.FieldOwner); err != nil {
		return s, fmt.Errorf("replacing the status of FtpServer %s/%s: %w", s.server.Namespace, s.server.Name, err)
	}
	log.FromContext(ctx).Info("replaced the status, of which others owned parts")
	return statusWritten(s, u)
}

// applyStatus applies the status without the fields that the CustomResourceDefinition lacks.
func applyStatus(ctx context.Context, s scope, wanted v1alpha1.FtpServerStatus) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&wanted)
	if err != nil {
		return nil, fmt.Errorf("encoding the status: %w", err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	crdschema.Prune(u.Object, s.CRD.State().Missing)
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(children.KindServer))
	u.SetNamespace(s.server.Namespace)
	u.SetName(s.server.Name)
	u.SetUID(s.server.UID)
	u.SetResourceVersion(s.server.ResourceVersion)
	return u, s.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), children.FieldOwner, client.ForceOwnership)
}

// writable returns the status reduced to what the CustomResourceDefinition can hold.
func writable(s scope, whole v1alpha1.FtpServerStatus) v1alpha1.FtpServerStatus {
	missing := s.CRD.State().Missing
	if len(missing) == 0 {
		return whole
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&whole)
	if err != nil {
		return whole
	}
	object := map[string]any{"status": content}
	crdschema.Prune(object, missing)
	var pruned v1alpha1.FtpServer
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &pruned); err != nil {
		return whole
	}
	return pruned.Status
}

// statusWritten returns the scope with the server as a write of its status returned it.
func statusWritten(s scope, u *unstructured.Unstructured) (scope, error) {
	written := &v1alpha1.FtpServer{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, written); err != nil {
		return s, fmt.Errorf("decoding FtpServer %s/%s: %w", s.server.Namespace, s.server.Name, err)
	}
	s.children.Tracker.Wrote(children.KindServer, written)
	s.interests.Note(written)
	return s.with(written), nil
}
