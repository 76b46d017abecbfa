package crdschema_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
)

// installed returns the schema of the repository's CRD.
func installed(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "ftp-operator.io_ftpservers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd map[string]any
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	at := func(v any, keys ...string) map[string]any {
		for _, key := range keys {
			m, _ := v.(map[string]any)
			v = m[key]
		}
		m, _ := v.(map[string]any)
		return m
	}
	versions, _ := at(crd, "spec")["versions"].([]any)
	return at(versions[0], "schema", "openAPIV3Schema")
}

func remove(s map[string]any, keys ...string) {
	for _, key := range keys[:len(keys)-1] {
		s, _ = s[key].(map[string]any)
	}
	delete(s, keys[len(keys)-1])
}

func TestNothingIsMissingInOurOwn(t *testing.T) {
	if missing := crdschema.Missing(v1alpha1.FtpServer{}, installed(t), "spec", "status"); len(missing) > 0 {
		t.Errorf("missing %v", missing)
	}
}

func TestMissing(t *testing.T) {
	for _, test := range []struct{ removed, want string }{
		{"properties status", "status"},
		{"properties status properties usersSummary", "status.usersSummary"},
		{"properties status properties pods", "status.pods"},
		{"properties status properties pods items properties node", "status.pods[].node"},
		{"properties spec properties tls properties clientCA", "spec.tls.clientCA"},
		{"properties spec properties storage properties volumeClaimTemplate properties spec properties selector", "spec.storage.volumeClaimTemplate.spec.selector"},
	} {
		s := installed(t)
		remove(s, strings.Fields(test.removed)...)
		missing := crdschema.Missing(v1alpha1.FtpServer{}, s, "spec", "status")
		if !slices.Equal(missing, []string{test.want}) {
			t.Errorf("without %s: missing %v", test.removed, missing)
		}
	}
}

func TestPrune(t *testing.T) {
	object := map[string]any{"status": map[string]any{
		"a": "x", "pods": []any{map[string]any{"name": "p", "node": "n"}, map[string]any{"name": "q"}},
		"m": map[string]any{"one": map[string]any{"b": "c", "d": "e"}},
	}}
	crdschema.Prune(object, []string{"status.a", "status.pods[].node", "status.m{}.b", "status.not.there", "spec.x[].y"})
	want := map[string]any{"status": map[string]any{
		"pods": []any{map[string]any{"name": "p"}, map[string]any{"name": "q"}},
		"m":    map[string]any{"one": map[string]any{"d": "e"}},
	}}
	if !reflect.DeepEqual(object, want) {
		t.Errorf("left %v", object)
	}
}

func TestHolds(t *testing.T) {
	for path, want := range map[string]bool{
		"status.pods": true, "status.pods[].passivePorts": true, "status": true, "status.pod": false, "status.pods[].node": false,
	} {
		if got := crdschema.Holds([]string{path}, "status.pods[].passivePorts"); got != want {
			t.Errorf("%s holds it: %v", path, got)
		}
	}
}

func TestRefused(t *testing.T) {
	kind := schema.GroupKind{Group: "ftp-operator.io", Kind: "FtpServer"}
	for name, test := range map[string]struct {
		err  error
		want []string
	}{
		"none": {nil, nil},
		"one":  {errors.New(`failed to create typed patch object (a/files; ftp-operator.io/v1alpha1, Kind=FtpServer): .status.usersSummary: field not declared in schema`), []string{"status.usersSummary"}},
		"several, in lists": {errors.New("failed to create typed patch object (a/files; ftp-operator.io/v1alpha1, Kind=FtpServer): errors:\n" +
			`  .status.pods[name="files-a"].node: field not declared in schema` + "\n" + `  .status.pods[name="files-b"].node: field not declared in schema` + "\n  .status.x: field not declared in schema"),
			[]string{"status.pods[].node", "status.x"}},
		"a value": {apierrors.NewInvalid(kind, "files", field.ErrorList{field.NotSupported(field.NewPath("status", "pods").Index(0).Child("state"), "Gone", []string{"Ready"})}), []string{"status.pods[].state"}},
		"another": {errors.New("the server is currently unable to handle the request"), nil},
	} {
		if got := crdschema.Refused(test.err); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
