package controllers

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
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
