// Package cel tests the validation of the API with a real API server: every rule of the CRD in both directions, the
// defaults, and the samples.
package cel

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

const (
	crdDir     = "../../config/crd/bases"
	samplesDir = "../../config/samples"
	namespace  = "default"
)

var (
	// restConfig is the configuration for clients of the API server under test.
	restConfig *rest.Config
	// api is a client of the API server.
	api client.Client
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "test/cel:", err)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 1, fmt.Errorf("KUBEBUILDER_ASSETS is not set: it names the folder that holds etcd and kube-apiserver; `make test` builds them and sets it")
	}
	env := &envtest.Environment{CRDDirectoryPaths: []string{filepath.FromSlash(crdDir)}, ErrorIfCRDPathMissing: true}
	defer func() {
		if stopErr := env.Stop(); stopErr != nil && err == nil {
			code, err = 1, fmt.Errorf("stop the API server: %w", stopErr)
		}
	}()
	restConfig, err = env.Start()
	if err != nil {
		return 1, fmt.Errorf("start an API server with the CRDs of %s: %w", crdDir, err)
	}
	if api, err = client.New(restConfig, client.Options{}); err != nil {
		return 1, fmt.Errorf("make a client: %w", err)
	}
	return m.Run(), nil
}

// server returns a FtpServer named "files" with the given spec in YAML.
func server(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	fields := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatalf("the test's own spec is no YAML: %v\n%s", err, spec)
	}
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "ftp-operator.io/v1alpha1",
		"kind":       "FtpServer",
		"spec":       fields,
	}}
	u.SetNamespace(namespace)
	u.SetName("files")
	return u
}

// dryRun asks the API server whether it would accept the object, without creating it.
func dryRun(ctx context.Context, object client.Object) error {
	return api.Create(ctx, object, client.DryRunAll, client.FieldValidation("Strict"))
}

// cleanup returns the context for cleanups, which run after the test's own context has ended.
func cleanup() context.Context { return context.Background() }
