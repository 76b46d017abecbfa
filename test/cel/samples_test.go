package cel

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// documents returns the objects in a YAML file.
func documents(t *testing.T, file string) []*unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		u := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &u.Object); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(u.Object) > 0 {
			all = append(all, u)
		}
	}
}

// TestSamples: the API server accepts every sample unchanged and without warnings about unknown fields; each sample
// contains the Secrets that its users need, and kustomization.yaml lists all samples.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob(samplesDir + "/ftpserver*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d samples in %s (%v), want at least 8", len(files), samplesDir, err)
	}
	listed, err := os.ReadFile(samplesDir + "/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(string(listed), "- "+name+"\n") {
				t.Errorf("kustomization.yaml does not list %s", name)
			}
			keys := map[string]bool{}
			var servers []*v1alpha1.FtpServer
			for _, u := range documents(t, file) {
				id := u.GetKind() + "/" + u.GetName()
				if other, taken := seen[id]; taken {
					t.Errorf("%s is in %s too: samples can't be applied together", id, other)
				}
				seen[id] = name
				u.SetNamespace(namespace)
				if err := dryRun(t.Context(), u.DeepCopy()); err != nil {
					t.Errorf("%s is refused: %v", id, err)
				}
				switch u.GetKind() {
				case "Secret":
					secret := &corev1.Secret{}
					convert(t, u, secret)
					for key, value := range secret.StringData {
						if value != "" {
							keys[secret.Name+"/"+key] = true
						}
					}
				case "FtpServer":
					server := &v1alpha1.FtpServer{}
					convert(t, u, server)
					servers = append(servers, server)
				}
			}
			if len(servers) != 1 {
				t.Fatalf("%d FtpServers, want one", len(servers))
			}
			for _, user := range servers[0].Spec.Users {
				key := user.PasswordSecretRef.Key
				if key == "" {
					key = "password"
				}
				if !keys[user.PasswordSecretRef.Name+"/"+key] {
					t.Errorf("the password of user %s is not in the sample: Secret %s, key %s", user.Name, user.PasswordSecretRef.Name, key)
				}
			}
		})
	}
}

func convert(t *testing.T, u *unstructured.Unstructured, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into); err != nil {
		t.Fatal(err)
	}
}

// TestSamplesSayWhatTheyNeed: a sample that needs something from its reader says so, and names it, in a comment that
// begins with "Before you apply it:".
func TestSamplesSayWhatTheyNeed(t *testing.T) {
	// needs maps what a sample contains if it needs something from its reader to what the comment must name.
	needs := map[string]string{
		"192.0.2.0/24": "192.0.2.0/24", "198.51.100.0/24": "198.51.100.0/24", "203.0.113.0/24": "203.0.113.0/24",
		"203.0.113.17": "203.0.113.17", "10.0.0.0/16": "10.0.0.0/16",
		"storageClassName: shared": "storageClassName", "kind: HorizontalPodAutoscaler": "metrics-server",
		"secretName: ftps-tls": "ftps-tls", "secretName: partners-tls": "partners-tls", "secretName: partners-ca": "partners-ca",
		"service.k8s.aws/nlb": "AWS Load Balancer Controller",
	}
	files, err := filepath.Glob(samplesDir + "/ftpserver*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var objects, comment strings.Builder
		said := false
		for line := range strings.Lines(string(text)) {
			rest, isComment := strings.CutPrefix(strings.TrimSpace(line), "#")
			said = isComment && (said || strings.Contains(rest, "Before you apply it:"))
			switch {
			case said:
				comment.WriteString(rest + " ")
			case !isComment:
				objects.WriteString(line)
			}
		}
		for in, named := range needs {
			if !strings.Contains(objects.String(), in) {
				continue
			}
			found++
			if !strings.Contains(strings.Join(strings.Fields(comment.String()), " "), named) {
				t.Errorf("%s has %q, and no comment \"Before you apply it:\" that names %s", filepath.Base(file), in, named)
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d things that are the reader's own", found)
	}
}
