package chart

import (
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// TestAgainstAPIServer installs the chart's CRDs, with a custom node port range, in a real API server.
func TestAgainstAPIServer(t *testing.T) {
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, u := range template(t, "--set", "nodePortRange.start=20000,nodePortRange.end=22767").ofKind("CustomResourceDefinition") {
		crd := decode[apiextensionsv1.CustomResourceDefinition](t, u)
		crds = append(crds, &crd)
	}
	assets(t)
	env := &envtest.Environment{CRDs: crds}
	config, err := env.Start()
	if err != nil {
		t.Fatalf("start an API server with the chart's CRDs: %v", err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	api, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("node port range", func(t *testing.T) { nodePortRange(t, api) })
	t.Run("renderings", func(t *testing.T) { takesRenderings(t, api) })
}

// takesRenderings: the API server accepts every object that the chart and kustomize render.
func takesRenderings(t *testing.T, api client.Client) {
	renderings := map[string]objects{"kustomize": kustomize(t, "default"), "network-policy": kustomize(t, "network-policy")}
	for _, file := range valuesFiles(t) {
		renderings[filepath.Base(file)] = template(t, "-f", file)
	}
	for _, name := range []string{namespace, "team-a", "team-b", "ftp-operator-system"} {
		if err := api.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, all := range renderings {
		for _, u := range all {
			if strings.HasPrefix(u.GetAPIVersion(), "monitoring.coreos.com/") {
				continue // their CRDs belong to the Prometheus operator
			}
			err := api.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(&u), client.DryRunAll, client.FieldOwner("test"), client.ForceOwnership)
			if err != nil {
				t.Errorf("%s: %s %s is refused: %v", name, u.GetKind(), u.GetName(), err)
			}
		}
	}
}

// nodePortRange: the value reaches every rule, and the API server enforces it.
func nodePortRange(t *testing.T, api client.Client) {
	for _, c := range []struct {
		start, end, nodePort int64
		message              string
	}{
		{20000, 20031, 22767, ""},
		{22736, 22767, 20000, ""},
		{30000, 30031, 20100, "set passive.portRange within the cluster's node port range, 20000-22767"},
		{19999, 20031, 20100, "set passive.portRange within"},
		{20000, 20031, 22768, "choose one of 20000-22767"},
	} {
		server := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "ftp-operator.io/v1alpha1", "kind": "FtpServer",
			"metadata": map[string]any{"name": "files", "namespace": "default"},
			"spec": map[string]any{
				"service": map[string]any{"type": "NodePort", "nodePort": c.nodePort},
				"passive": map[string]any{"portRange": map[string]any{"start": c.start, "end": c.end}},
				"storage": map[string]any{"emptyDir": map[string]any{}},
			},
		}}
		err := api.Create(t.Context(), server, client.DryRunAll)
		switch {
		case c.message == "" && err != nil:
			t.Errorf("%d-%d with node port %d is refused: %v", c.start, c.end, c.nodePort, err)
		case c.message != "" && (err == nil || !strings.Contains(err.Error(), c.message)):
			t.Errorf("%d-%d with node port %d: %v, want it refused with %q", c.start, c.end, c.nodePort, err, c.message)
		}
	}
}
