package resources_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// child is a child object: what is applied, and the type that it must fit.
type child struct {
	file  string
	apply any
	typed any
}

// children returns all children of a sample.
func (s sample) children(t testing.TB) []child {
	s.in.ConfigFile = s.configFile(t)
	all := []child{
		{"deployment", resources.Deployment(s.in), &appsv1.Deployment{}},
		{"service", resources.Service(s.in), &corev1.Service{}},
		{"secret", resources.ConfigSecret(s.in), &corev1.Secret{}},
		{"persistentvolumeclaim", resources.PersistentVolumeClaim(s.in), &corev1.PersistentVolumeClaim{}},
		{"networkpolicy", resources.NetworkPolicy(s.in), &networkingv1.NetworkPolicy{}},
		{"poddisruptionbudget", resources.PodDisruptionBudget(s.in), &policyv1.PodDisruptionBudget{}},
	}
	for _, pod := range s.pods {
		for _, slice := range resources.EndpointSlices(s.in, pod) {
			all = append(all, child{"endpointslice-" + *slice.Name, slice, &discoveryv1.EndpointSlice{}})
		}
	}
	return all
}

// TestGolden compares every child of every sample, and the daemon's configuration, with testdata, and decodes each as
// its type.
func TestGolden(t *testing.T) {
	for name, s := range samples() {
		t.Run(name, func(t *testing.T) {
			before := s.in.Server.DeepCopy()
			dir := filepath.Join("testdata", name)
			golden(t, filepath.Join(dir, "ftpd.yaml"), s.configFile(t))
			for _, c := range s.children(t) {
				var text []byte
				if !reflect.ValueOf(c.apply).IsNil() {
					var err error
					if text, err = yaml.Marshal(c.apply); err != nil {
						t.Fatal(err)
					}
					fits(t, c)
				}
				golden(t, filepath.Join(dir, c.file+".yaml"), text)
			}
			if diff := cmp.Diff(before, s.in.Server); diff != "" {
				t.Errorf("the server was changed:\n%s", diff)
			}
		})
	}
}

// fits decodes a child as its type, which must have every field.
func fits(t *testing.T, c child) {
	t.Helper()
	text, err := json.Marshal(c.apply)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(c.typed); err != nil {
		t.Errorf("%s is no %T: %v", c.file, c.typed, err)
	}
}

// golden compares got with a file; with -update it writes the file. If got is empty, the file must not exist.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		write(t, file, got)
	}
	want, err := os.ReadFile(file)
	if err != nil && (len(got) > 0 || !errors.Is(err, fs.ErrNotExist)) {
		t.Fatalf("%v: make it with go test ./controllers/resources -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is no longer what is made (-file +now); if that is meant, run go test ./controllers/resources -update\n%s", file, diff)
	}
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if len(text) == 0 {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTheDaemonTakesItsConfiguration: the daemon accepts every configuration that the operator writes.
func TestTheDaemonTakesItsConfiguration(t *testing.T) {
	for name, s := range samples() {
		if _, err := config.Parse(s.configFile(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
