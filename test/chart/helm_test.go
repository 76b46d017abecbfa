// Package chart tests what the Helm chart and the kustomize tree install, with the real helm and kubectl.
package chart

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const (
	chartDir  = "../../charts/ftp-operator"
	namespace = "ops"
	release   = "r"
	fullname  = "r-ftp-operator"
)

// ownHelm returns the path of the project's own helm, which it builds if it does not exist on this machine.
var ownHelm = sync.OnceValues(func() (string, error) {
	command := exec.Command("../../hack/tools.sh", "helm")
	command.Stderr = os.Stderr
	out, err := command.Output()
	return strings.TrimSpace(string(out)), err
})

// helm runs helm and returns its standard output, and its standard output and error together.
func helm(t *testing.T, args ...string) (stdout, all string, err error) {
	t.Helper()
	binary := os.Getenv("HELM")
	if binary == "" {
		path, err := ownHelm()
		if err != nil {
			t.Fatalf("build helm (hack/tools.sh helm), or name one in the environment as HELM: %v", err)
		}
		binary = path
	}
	home := t.TempDir() // so that helm leaves nothing behind, and reads no settings of the user who runs the test
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	err = command.Run()
	return out.String(), out.String() + problems.String(), err
}

// template renders the chart with arguments of helm such as "-f", FILE or "--set", "a=b".
func template(t *testing.T, args ...string) objects {
	t.Helper()
	out, all, err := helm(t, append([]string{"template", release, chartDir, "--namespace", namespace}, args...)...)
	if err != nil {
		t.Fatalf("helm template %q: %v\n%s", args, err, all)
	}
	return parse(t, out)
}

// objects are the objects of a rendering.
type objects []unstructured.Unstructured

// parse parses a stream of YAML documents.
func parse(t *testing.T, stream string) objects {
	t.Helper()
	var all objects
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(stream)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var u unstructured.Unstructured
		if err := yaml.Unmarshal(document, &u.Object); err != nil {
			t.Fatalf("a rendered document is no YAML: %v\n%s", err, document)
		}
		if len(u.Object) == 0 {
			continue // the document contains only comments
		}
		if u.GetKind() == "" || u.GetName() == "" {
			t.Fatalf("a rendered document has no kind or name:\n%s", document)
		}
		all = append(all, u)
	}
}

// ofKind returns the objects of a kind.
func (all objects) ofKind(kind string) objects {
	var found objects
	for _, u := range all {
		if u.GetKind() == kind {
			found = append(found, u)
		}
	}
	return found
}

// get returns the one object of the kind, namespace ("" for none) and name.
func (all objects) get(t *testing.T, kind, namespace, name string) unstructured.Unstructured {
	t.Helper()
	var found objects
	for _, u := range all.ofKind(kind) {
		if u.GetNamespace() == namespace && u.GetName() == name {
			found = append(found, u)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects %s %s/%s are rendered, want one", len(found), kind, namespace, name)
	}
	return found[0]
}

// read parses a file of the repository.
func read(t *testing.T, path ...string) objects {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"../.."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}
