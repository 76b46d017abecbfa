package resources_test

import (
	"context"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	compare "github.com/ftp-operator/ftp-operator/controllers/apply"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// apiServer starts a real API server that runs until the test ends, and returns a client of it. Its namespace team-a
// enforces the "restricted" Pod Security Standard.
func apiServer(t *testing.T) client.Client {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("NOT RUN: KUBEBUILDER_ASSETS must name a directory with kube-apiserver and etcd; make test sets it")
	}
	environment := &envtest.Environment{}
	restConfig, err := environment.Start()
	if err != nil {
		t.Fatalf("starting the API server: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stopping the API server: %v", err)
		}
	})
	c, err := client.New(restConfig, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: "team-a", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if err := c.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return c
}

// apply applies an object the way the operator does.
func apply(ctx context.Context, c client.Client, object any) error {
	return c.Apply(ctx, object.(runtime.ApplyConfiguration), client.FieldOwner(v1alpha1.FieldManager), client.ForceOwnership)
}

// TestAPIServer tests the children with a real API server.
func TestAPIServer(t *testing.T) {
	server := running{apiServer(t)}
	t.Run("takes the children", server.takesTheChildren)
	t.Run("changes the Service in place", server.changesTheServiceInPlace)
}

// running is a client of a running API server.
type running struct{ client.Client }

// takesTheChildren: every child of every sample is valid, applying it again changes nothing, and pods made from the
// template satisfy the "restricted" standard.
func (c running) takesTheChildren(t *testing.T) {
	comparer := compare.NewComparer(c.Scheme(), v1alpha1.FieldManager)
	all := samples()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			// The children are built for each round, since Apply writes the answer into its argument. There are three
			// rounds, since the first apply after a claim was created counts as a write though it changes nothing.
			var rounds [3][]child
			for i := range rounds {
				rounds[i] = all[name].children(t)
			}
			for i, kid := range rounds[0] {
				if reflect.ValueOf(kid.apply).IsNil() {
					continue
				}
				object := kid.typed.(client.Object)
				version := ""
				for round := range rounds {
					if err := apply(t.Context(), c, rounds[round][i].apply); err != nil {
						t.Fatalf("%s: %v", kid.file, err)
					}
					now := read(t, c, object, kid).GetResourceVersion()
					if round == len(rounds)-1 && now != version {
						t.Errorf("%s: applying it again wrote something", kid.file)
					}
					version = now
				}
				desired := all[name].children(t)[i].apply.(runtime.ApplyConfiguration)
				if difference, err := comparer.Difference(object, desired); err != nil || difference != "" {
					t.Errorf("%s: what the API server has does not look like what was applied: %s %v", kid.file, difference, err)
				}
				if deployment, ok := object.(*appsv1.Deployment); ok {
					restricted(t, c, deployment)
				}
				remove(t, c, object)
			}
		})
	}
}

// read reads the live object of an applied child.
func read(t *testing.T, c client.Client, object client.Object, kid child) client.Object {
	t.Helper()
	named := kid.apply.(interface {
		GetName() *string
		GetNamespace() *string
	})
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: *named.GetNamespace(), Name: *named.GetName()}, object); err != nil {
		t.Fatalf("%s: %v", kid.file, err)
	}
	return object
}

// restricted creates a pod from the template in a dry run.
func restricted(t *testing.T, c client.Client, deployment *appsv1.Deployment) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: *deployment.Spec.Template.ObjectMeta.DeepCopy(),
		Spec:       *deployment.Spec.Template.Spec.DeepCopy(),
	}
	pod.Name, pod.Namespace = deployment.Name+"-0", deployment.Namespace
	pod.Spec.PriorityClassName = ""        // the class does not exist here
	pod.Spec.ServiceAccountName = "nobody" // no controller creates the default one here
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody", Namespace: pod.Namespace}}
	if err := c.Create(t.Context(), account); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), pod, client.DryRunAll); err != nil {
		t.Errorf("a pod of the template: %v", err)
	}
}

// remove deletes an object and removes its finalizers, whose controllers do not run here.
func remove(t *testing.T, c client.Client, object client.Object) {
	t.Helper()
	object.SetFinalizers(nil)
	if err := c.Update(t.Context(), object); err != nil {
		t.Fatalf("%s: %v", object.GetName(), err)
	}
	if err := c.Delete(t.Context(), object); err != nil {
		t.Fatalf("%s: %v", object.GetName(), err)
	}
}

// changesTheServiceInPlace: one more apply can change the Service from any type to any other, with other ports, and
// keeps what the cluster chose for it where possible.
func (c running) changesTheServiceInPlace(t *testing.T) {
	s := minimal()
	var last corev1.Service
	step := func(what string, change func(*v1alpha1.ServiceSpec), exposed config.PortSet) *corev1.Service {
		change(&s.in.Server.Spec.Service)
		s.in.Exposed = exposed
		if err := apply(t.Context(), c, resources.Service(s.in)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var now corev1.Service
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "team-a", Name: "files"}, &now); err != nil {
			t.Fatal(err)
		}
		if len(now.Spec.Ports) != len(exposed)+1 {
			t.Errorf("%s: %d ports, want the control port and %s", what, len(now.Spec.Ports), exposed)
		}
		if last.Name != "" && last.Spec.ClusterIP != now.Spec.ClusterIP {
			t.Errorf("%s: the cluster IP changed from %s to %s", what, last.Spec.ClusterIP, now.Spec.ClusterIP)
		}
		last = now
		return &now
	}
	kind := func(serviceType corev1.ServiceType) func(*v1alpha1.ServiceSpec) {
		return func(spec *v1alpha1.ServiceSpec) { spec.Type = serviceType }
	}
	control := func(service *corev1.Service) corev1.ServicePort {
		i := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == resources.ControlPortName })
		return service.Spec.Ports[i]
	}
	passiveNodePorts := func(what string, service *corev1.Service) {
		for _, p := range service.Spec.Ports {
			if p.Name != resources.ControlPortName && p.NodePort != p.Port {
				t.Errorf("%s: %s has node port %d", what, p.Name, p.NodePort)
			}
		}
	}
	// All lie in the part of the range of which the API server gives nothing by itself (30000-30085). What it gives by itself
	// it may not take back for minutes: if an update is repeated, since the object was stale, what the first try got stays
	// allocated until the allocator is repaired.
	low, high := config.PortRange(30000, 30031), config.PortRange(30040, 30071)

	step("a new LoadBalancer", kind(corev1.ServiceTypeLoadBalancer), low)
	step("a moved range", kind(corev1.ServiceTypeLoadBalancer), low.Union(high))
	step("the old range gone", kind(corev1.ServiceTypeLoadBalancer), high)
	service := step("to NodePort", kind(corev1.ServiceTypeNodePort), high)
	passiveNodePorts("to NodePort", service)
	chosen := control(service).NodePort
	if chosen == 0 || s.in.Exposed.Contains(uint16(chosen)) {
		t.Errorf("the control port has node port %d", chosen)
	}
	service = step("a smaller range", kind(corev1.ServiceTypeNodePort), high[:4])
	if got := control(service).NodePort; got != chosen {
		t.Errorf("the control port's node port went from %d to %d", chosen, got)
	}
	service = step("a chosen node port", func(spec *v1alpha1.ServiceSpec) { spec.NodePort = new(int32(30021)) }, high)
	if got := control(service).NodePort; got != 30021 {
		t.Errorf("the control port's node port is %d", got)
	}
	step("another control port", func(spec *v1alpha1.ServiceSpec) { spec.Port = 2100 }, high)
	service = step("to ClusterIP", func(spec *v1alpha1.ServiceSpec) { spec.Type, spec.NodePort = corev1.ServiceTypeClusterIP, nil }, low)
	for _, p := range service.Spec.Ports {
		if p.NodePort != 0 {
			t.Errorf("ClusterIP: %s has node port %d", p.Name, p.NodePort)
		}
	}
	if service.Spec.ExternalTrafficPolicy != "" {
		t.Errorf("ClusterIP: externalTrafficPolicy %s", service.Spec.ExternalTrafficPolicy)
	}
	passiveNodePorts("to NodePort again", step("to NodePort again", kind(corev1.ServiceTypeNodePort), low))
	step("to LoadBalancer again", kind(corev1.ServiceTypeLoadBalancer), low)
	s.in.Server.Spec.Replicas = new(int32(3))
	if service = step("more replicas", kind(corev1.ServiceTypeLoadBalancer), low); service.Spec.ExternalTrafficPolicy != "Cluster" {
		t.Errorf("more replicas: externalTrafficPolicy %s", service.Spec.ExternalTrafficPolicy)
	}
}
