package apply_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	applyconfigurations "k8s.io/client-go/applyconfigurations"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/ftp-operator/ftp-operator/controllers/apply"
)

const us = "ftp-operator"

// server manages the fields of one Service as an API server does.
type server struct {
	t *testing.T
	managedfieldstest.TestFieldManager
}

func newServer(t *testing.T) *server {
	converter := applyconfigurations.NewTypeConverter(clientgoscheme.Scheme)
	return &server{t, managedfieldstest.NewTestFieldManager(converter, corev1.SchemeGroupVersion.WithKind("Service"))}
}

func (s *server) apply(desired runtime.ApplyConfiguration) {
	s.t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(desired)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.Apply(&unstructured.Unstructured{Object: content}, us, true); err != nil {
		s.t.Fatal(err)
	}
}

// edit changes the live object under another manager's name.
func (s *server) edit(change func(*corev1.Service)) {
	s.t.Helper()
	live := s.live()
	change(live)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		s.t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Service"))
	if err := s.Update(u, "a-hand"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) live() *corev1.Service {
	s.t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(s.Live())
	if err != nil {
		s.t.Fatal(err)
	}
	live := &corev1.Service{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, live); err != nil {
		s.t.Fatal(err)
	}
	live.ManagedFields = s.ManagedFields()
	live.TypeMeta = metav1.TypeMeta{} // a typed client returns it empty
	return live
}

func service(ports ...int32) *coreac.ServiceApplyConfiguration {
	spec := coreac.ServiceSpec().WithType(corev1.ServiceTypeLoadBalancer)
	for _, p := range ports {
		spec.WithPorts(coreac.ServicePort().WithName("p").WithProtocol(corev1.ProtocolTCP).WithPort(p).WithTargetPort(intstr.FromInt32(p)))
	}
	return coreac.Service("files", "default").WithLabels(map[string]string{"app": "ftpd"}).WithSpec(spec)
}

func TestDifference(t *testing.T) {
	comparer := apply.NewComparer(clientgoscheme.Scheme, us)
	tests := []struct {
		name    string
		edit    func(*corev1.Service)
		desired runtime.ApplyConfiguration
		want    string // part of the difference; empty: no difference
	}{
		{"nothing changed", func(*corev1.Service) {}, service(21, 30000), ""},
		{"foreign fields", func(s *corev1.Service) {
			s.Annotations = map[string]string{"theirs": "x"}
			s.Labels["theirs"] = "x"
			s.Spec.ClusterIP = "10.0.0.1"
			s.Spec.Ports[0].NodePort = 30123
		}, service(21, 30000), ""},
		{"ports in another order", func(s *corev1.Service) {
			s.Spec.Ports[0], s.Spec.Ports[1] = s.Spec.Ports[1], s.Spec.Ports[0]
		}, service(21, 30000), ""},
		{"a value edited", func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromInt32(1) }, service(21, 30000), "to own"},
		{"a value edited and edited back", func(s *corev1.Service) { s.Spec.Type = "LoadBalancer" }, service(21, 30000), ""},
		{"a field removed", func(s *corev1.Service) { delete(s.Labels, "app") }, service(21, 30000), "to own: .metadata.labels.app"},
		{"a port removed", func(s *corev1.Service) { s.Spec.Ports = s.Spec.Ports[:1] }, service(21, 30000), "to own"},
		{"a new wish", func(*corev1.Service) {}, service(21, 30000, 30001), "to own"},
		{"a wish dropped", func(*corev1.Service) {}, service(21), "to give up"},
		{"a wish changed", func(*corev1.Service) {}, func() runtime.ApplyConfiguration {
			s := service(21, 30000)
			s.Spec.WithType(corev1.ServiceTypeNodePort)
			return s
		}(), "to change: .spec.type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			s.apply(service(21, 30000))
			s.edit(tt.edit)
			got, err := comparer.Difference(s.live(), tt.desired)
			if err != nil {
				t.Fatal(err)
			}
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("difference is %q, want …%s…", got, tt.want)
			}
			s.apply(tt.desired)
			if got, err := comparer.Difference(s.live(), tt.desired); got != "" || err != nil {
				t.Errorf("after applying: %q, %v", got, err)
			}
		})
	}
}

// The Service's ports are all ours: a port that another manager added is a difference.
func TestAForeignPortIsADifference(t *testing.T) {
	s := newServer(t)
	s.apply(service(21, 30000))
	s.edit(func(s *corev1.Service) {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "theirs", Port: 99, Protocol: "TCP"})
	})
	got, err := apply.NewComparer(clientgoscheme.Scheme, us).Difference(s.live(), service(21, 30000))
	if err != nil || !strings.Contains(got, "to remove") || !strings.Contains(got, "99") {
		t.Errorf("difference is %q, %v", got, err)
	}
}

func TestDifferenceNamesNoValues(t *testing.T) {
	s := newServer(t)
	s.apply(service(21))
	desired := service(21)
	desired.WithAnnotations(map[string]string{"token": "s3cr3t"})
	s.apply(desired)
	desired.WithAnnotations(map[string]string{"token": "another-s3cr3t"})
	got, err := apply.NewComparer(clientgoscheme.Scheme, us).Difference(s.live(), desired)
	if err != nil || got == "" || strings.Contains(got, "s3cr3t") {
		t.Errorf("difference is %q, %v", got, err)
	}
}

func TestNeverApplied(t *testing.T) {
	s := newServer(t)
	s.edit(func(live *corev1.Service) { live.Name, live.Namespace = "files", "default" })
	got, err := apply.NewComparer(clientgoscheme.Scheme, us).Difference(s.live(), service(21))
	if err != nil || got == "" {
		t.Errorf("difference is %q, %v", got, err)
	}
}

func TestKindsMustAgree(t *testing.T) {
	if _, err := apply.NewComparer(clientgoscheme.Scheme, us).Difference(&corev1.Pod{}, service(21)); err == nil {
		t.Error("a Pod was compared with a Service")
	}
}

// An object that a webhook changes after every apply is left alone as long as it stays as the apply left it; any
// change of it is noticed.
func TestFingerprint(t *testing.T) {
	comparer := apply.NewComparer(clientgoscheme.Scheme, us)
	fingerprint := func(s *server, desired runtime.ApplyConfiguration) string {
		t.Helper()
		text, err := comparer.Fingerprint(s.live(), desired)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	s := newServer(t)
	s.apply(service(21))
	s.edit(func(live *corev1.Service) { live.Spec.Type = "NodePort" }) // a webhook's change
	left := fingerprint(s, service(21))

	s.edit(func(live *corev1.Service) { live.Spec.ClusterIP = "10.0.0.1" })
	if fingerprint(s, service(21)) != left {
		t.Error("a foreign field changed the fingerprint")
	}
	if fingerprint(s, service(22)) == left {
		t.Error("another desired object has the same fingerprint")
	}
	s.edit(func(live *corev1.Service) { live.Spec.Type = "ClusterIP" })
	if fingerprint(s, service(21)) == left {
		t.Error("another value has the same fingerprint")
	}
}
