package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// TestErrorsAreRetriedWithinAMinute: after an error a server is retried within a minute, however often it has failed.
func TestErrorsAreRetriedWithinAMinute(t *testing.T) {
	limiter := SetupOptions{}.controller().RateLimiter
	if limiter == nil {
		t.Fatal("errors are left to the default rate limiter, which waits up to 1000 s")
	}
	request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "a", Name: "files"}}
	first := limiter.When(request)
	last := first
	for range 100 {
		last = limiter.When(request)
	}
	if first > time.Second || last > time.Minute {
		t.Errorf("an error is tried again after %s, and after many times in a row after %s", first, last)
	}
}

func TestPodChanged(t *testing.T) {
	pod := func(change func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "ftpd", Ready: true}}
		change(p)
		return p
	}
	tests := map[string]struct {
		change func(*corev1.Pod)
		want   bool
	}{
		"nothing":     {func(*corev1.Pod) {}, false},
		"a probe":     {func(p *corev1.Pod) { p.Status.Conditions[0].LastProbeTime = metav1.Now() }, false},
		"a restart":   {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].RestartCount = 3 }, false},
		"readiness":   {func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }, true},
		"address":     {func(p *corev1.Pod) { p.Status.PodIP = "10.0.0.1" }, true},
		"termination": {func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }, true},
		"annotation":  {func(p *corev1.Pod) { p.Annotations = map[string]string{v1alpha1.PassivePortsAnnotation: "1"} }, true},
		"owner":       {func(p *corev1.Pod) { p.OwnerReferences = []metav1.OwnerReference{{Name: "rs"}} }, true},
		"container":   {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State.Running = &corev1.ContainerStateRunning{} }, true},
	}
	for name, tt := range tests {
		got := podChanged().Update(event.UpdateEvent{ObjectOld: pod(func(*corev1.Pod) {}), ObjectNew: pod(tt.change)})
		if got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestServicePortsChanged: a change of a Service's ports enqueues servers; changes of its backends and its load
// balancer's status do not.
func TestServicePortsChanged(t *testing.T) {
	service := func(change func(*corev1.Service)) *corev1.Service {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "web"}, Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, Ports: []corev1.ServicePort{{Port: 80, NodePort: 30080}},
		}}
		change(s)
		return s
	}
	for name, tt := range map[string]struct {
		change func(*corev1.Service)
		want   bool
	}{
		"version": {func(s *corev1.Service) { s.ResourceVersion = "2" }, false},
		"status": {func(s *corev1.Service) {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
		}, false},
		"selector": {func(s *corev1.Service) { s.Spec.Selector = map[string]string{"a": "b"} }, false},
		"port":     {func(s *corev1.Service) { s.Spec.Ports[0].NodePort = 30081 }, true},
	} {
		update := event.TypedUpdateEvent[*corev1.Service]{ObjectOld: service(func(*corev1.Service) {}), ObjectNew: service(tt.change)}
		if got := servicePortsChanged().Update(update); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestProviderIDIsReadOnce: a failure is not remembered, but an answer is; a node without an ID does not hide the
// others.
func TestProviderIDIsReadOnce(t *testing.T) {
	reads, failing := 0, true
	reader := fake.NewClientBuilder().
		WithObjects(
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a-new"}},
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "b"}, Spec: corev1.NodeSpec{ProviderID: "aws:///a/i-1"}},
		).
		WithInterceptorFuncs(interceptor.Funcs{
			List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				reads++
				if failing {
					return errors.New("the API server is away")
				}
				return c.List(ctx, list, options...)
			},
		}).Build()
	n := &nodeAccess{}
	if got := n.providerID(t.Context(), reader, time.Time{}); got != "" {
		t.Errorf("%q came out of a failure", got)
	}
	failing = false
	for range 3 {
		if got := n.providerID(t.Context(), reader, time.Time{}); got != "aws:///a/i-1" {
			t.Errorf("provider ID %q", got)
		}
	}
	if reads != 2 {
		t.Errorf("%d reads, want the one that failed and another", reads)
	}
}

// TestProviderIDMayComeLater: the ID is looked for again while no node has one, and not after it was found.
func TestProviderIDMayComeLater(t *testing.T) {
	ctx := context.Background()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}
	c := fake.NewClientBuilder().WithObjects(node).Build()
	reads := &countingReader{Reader: c}
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	n := &nodeAccess{allowed: true}
	for range 100 { // one call for each server
		if id := n.providerID(ctx, reads, now); id != "" {
			t.Fatal(id)
		}
	}
	if reads.lists != 1 {
		t.Errorf("%d lists of nodes in one moment", reads.lists)
	}
	node.Spec.ProviderID = "aws:///eu-west-1a/i-0123"
	if err := c.Update(ctx, node); err != nil {
		t.Fatal(err)
	}
	now = now.Add(providerIDRecheck)
	reads.fail = true
	if id := n.providerID(ctx, reads, now); id != "" {
		t.Errorf("%q out of an error", id)
	}
	reads.fail = false
	for range 2 {
		if id := n.providerID(ctx, reads, now); id != node.Spec.ProviderID {
			t.Errorf("the node has %q, the operator knows %q", node.Spec.ProviderID, id)
		}
	}
	if reads.lists != 3 {
		t.Errorf("%d lists", reads.lists)
	}
}

type countingReader struct {
	client.Reader
	lists int
	fail  bool
}

func (r *countingReader) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	r.lists++
	if r.fail {
		return errors.New("no answer")
	}
	return r.Reader.List(ctx, list, options...)
}
