package cel

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	ac "github.com/ftp-operator/ftp-operator/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
)

// typed returns a client with the Go types.
func typed(t *testing.T) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const wantDefaults = `anonymous:
  access: ReadOnly
networkPolicy:
  enabled: true
passive: {}
podDisruptionBudget:
  enabled: true
replicas: 1
service:
  port: 21
  proxyProtocol:
    mode: Accept
    trusted:
    - 10.0.0.0/8
  type: LoadBalancer
storage:
  durability: Fsync
  partialUploads: Discard
  volumeClaimTemplate:
    spec:
      accessModes:
      - ReadWriteOnce
      resources:
        requests:
          storage: 1Gi
    whenDeleted: Retain
template:
  terminationGracePeriodSeconds: 3600
tls:
  clientCA:
    mode: Required
    secretName: b
  implicit:
    enabled: false
    port: 990
  minVersion: "1.2"
  mode: Required
  secretName: a
  sessionReuse: Prefer
users:
- access: ReadWrite
  name: alice
  passwordSecretRef:
    key: password
    name: a
`

func TestDefaults(t *testing.T) {
	u := server(t, claimOf("1Gi", "")+"\nusers: [{name: alice, passwordSecretRef: {name: a}}]\nanonymous: {}\nnetworkPolicy: {}\npodDisruptionBudget: {}\ntemplate: {}"+
		"\ntls: {secretName: a, clientCA: {secretName: b}, implicit: {}}\nservice: {proxyProtocol: {trusted: [10.0.0.0/8]}}")
	if err := dryRun(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	got, err := yaml.Marshal(u.Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != wantDefaults {
		t.Errorf("the spec with its defaults is\n%s\nwant\n%s", got, wantDefaults)
	}
}

// TestGoZeroValues: in a FtpServer built in Go, fields with zero values mean the defaults, as in YAML; fields of
// struct type are not sent as empty objects.
func TestGoZeroValues(t *testing.T) {
	s := &v1alpha1.FtpServer{}
	s.Name, s.Namespace = "files", namespace
	s.Spec.Storage.EmptyDir = &corev1.EmptyDirVolumeSource{}
	if err := typed(t).Create(t.Context(), s, client.DryRunAll); err != nil {
		t.Fatalf("create from Go: %v", err)
	}
	if got, want := portrange.Of(s).String(), "30000-30031"; got != want {
		t.Errorf("the passive ports are %s, want the default %s", got, want)
	}
	if s.Spec.Service.Port != 21 || s.Spec.Service.Type != corev1.ServiceTypeLoadBalancer {
		t.Errorf("service is %+v, want the defaults", s.Spec.Service)
	}
}

// TestApplyConfigurations: the generated builders work with the server, for the main resource and for status.
func TestApplyConfigurations(t *testing.T) {
	c := typed(t)
	apply := ac.FtpServer("applied", namespace).WithSpec(ac.FtpServerSpec().
		WithReplicas(1).
		WithStorage(ac.StorageSpec().WithEmptyDir(corev1.EmptyDirVolumeSource{})))
	if err := c.Apply(t.Context(), apply, client.FieldOwner("test")); err != nil {
		t.Fatalf("apply: %v", err)
	}
	var s v1alpha1.FtpServer
	s.Name, s.Namespace = "applied", namespace
	t.Cleanup(func() {
		if err := c.Delete(cleanup(), &s); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	status := ac.FtpServer("applied", namespace).WithStatus(ac.FtpServerStatus().
		WithEndpoint("ftp://203.0.113.10:21").
		WithPods(ac.PodStatus().WithName("files-0").WithPassivePorts("30000-30015").WithState(v1alpha1.PodReady)))
	if err := c.Status().Apply(t.Context(), status, client.FieldOwner("test")); err != nil {
		t.Fatalf("apply the status: %v", err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(&s), &s); err != nil {
		t.Fatal(err)
	}
	if s.Status.Endpoint != "ftp://203.0.113.10:21" || len(s.Status.Pods) != 1 {
		t.Errorf("status is %+v", s.Status)
	}
	extracted, err := ac.ExtractFtpServer(&s, "test")
	if err != nil {
		t.Fatalf("extract what was applied: %v", err)
	}
	if extracted.Spec == nil || extracted.Spec.Replicas == nil || *extracted.Spec.Replicas != 1 {
		t.Errorf("extracted %+v, want the spec that was applied", extracted)
	}
}
