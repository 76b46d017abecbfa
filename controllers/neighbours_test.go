package controllers

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ftp-operator/ftp-operator/controllers/portrange"
)

// TestSlimServiceKeepsWhatIsRead: the cache of Services keeps all fields that are read.
func TestSlimServiceKeepsWhatIsRead(t *testing.T) {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "a", Name: "web", Labels: map[string]string{"app": "web"},
			Annotations:     map[string]string{"metallb.io/allow-shared-ip": "one", "metallb.universe.tf/allow-shared-ip": "two", "other": "x"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "FtpServer", Name: "files", Controller: new(true)}},
			ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "x"}},
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, HealthCheckNodePort: 30999, Selector: map[string]string{"app": "web"},
			Ports: []corev1.ServicePort{
				{Name: "a", Protocol: corev1.ProtocolTCP, Port: 21, NodePort: 30021},
				{Name: "b", Protocol: corev1.ProtocolUDP, Port: 53, NodePort: 30053},
			},
		},
	}
	want := portrange.ServiceOf(service)
	slim, err := slimService(service.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	held, _ := slim.(*corev1.Service)
	if got := portrange.ServiceOf(held); !reflect.DeepEqual(got, want) {
		t.Errorf("of a Service that is read as %+v, the cache leaves %+v", want, got)
	}
	if len(held.ManagedFields) > 0 || len(held.Spec.Selector) > 0 || len(held.Labels) > 0 {
		t.Errorf("it keeps %+v", held)
	}
}

// TestNeighbourChanged: a change of a Service's ports enqueues servers; changes of its backends and its load
// balancer's status do not.
func TestNeighbourChanged(t *testing.T) {
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
		if got := neighbourChanged().Update(update); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
