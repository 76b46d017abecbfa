package crdschema_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
)

// TestCRDIsWhatWasServed lists the documents as an API server does in the moment in which a CRD changes: the list still
// names the hash of the document before the change.
func TestCRDIsWhatWasServed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "ftp-operator.io_ftpservers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	document := func(removed ...string) []byte {
		var crd map[string]any
		if err := yaml.Unmarshal(text, &crd); err != nil {
			t.Fatal(err)
		}
		versions, _, _ := unstructured.NestedSlice(crd, "spec", "versions")
		model, _, _ := unstructured.NestedMap(versions[0].(map[string]any), "schema", "openAPIV3Schema") //nolint:forcetypeassert // our CRD
		if len(removed) > 0 {
			unstructured.RemoveNestedField(model, removed...)
		}
		b, err := json.Marshal(map[string]any{"components": map[string]any{"schemas": map[string]any{"io.ftp-operator.v1alpha1.FtpServer": model}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var served atomic.Value
	served.Store(document("properties", "status", "properties", "usersSummary"))
	path := "/openapi/v3/apis/ftp-operator.io/v1alpha1"
	mux := http.NewServeMux()
	mux.HandleFunc("/openapi/v3", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"paths":{"apis/ftp-operator.io/v1alpha1":{"serverRelativeURL":"%s?hash=1"}}}`, path)
	})
	mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(served.Load().([]byte)) //nolint:forcetypeassert // see above
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	look, err := crdschema.NewCRD(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	look.Check(t.Context())
	if err := look.Ready(nil); err == nil || !strings.Contains(err.Error(), "status.usersSummary") {
		t.Errorf("with the older document: %v", err)
	}
	served.Store(document())
	look.Check(t.Context())
	if err := look.Ready(nil); err != nil {
		t.Errorf("with the newer document: %v", err)
	}
}
