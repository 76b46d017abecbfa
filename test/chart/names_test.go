package chart

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// oddNames are names that Kubernetes accepts, and that YAML reads as other types unless they are quoted.
var oddNames = []string{"y", "n", "on", "yes", "true", "null", "123", "1e3", "0x10", "0b1", "08"}

// TestOddNames: a release, a namespace, and everything else that a user names may have such a name.
func TestOddNames(t *testing.T) {
	for _, name := range oddNames {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{
				{name, chartDir, "--namespace", name},
				{name, chartDir, "--namespace", name, "-f", chartDir + "/ci/everything-values.yaml"},
				{
					name, chartDir, "--namespace", name, "--set-string", "nameOverride=" + name, "--set-string", "fullnameOverride=" + name,
					"--set-string", "serviceAccount.name=" + name, "--set-string", "priorityClassName=" + name, "--set-string", "watchNamespaces={" + name + ",b}",
				},
			} {
				out, all, err := helm(t, append([]string{"template"}, args...)...)
				if err != nil {
					t.Fatalf("helm template %q: %v\n%s", args, err, all)
				}
				checkNamed(t, parse(t, out), name)
			}
		})
	}
}

// checkNamed: the objects decode strictly, which fails if a name has become a bool or a number, and they have the
// name.
func checkNamed(t *testing.T, all objects, name string) {
	t.Helper()
	strictly(t, all)
	for _, u := range all {
		if got := u.GetLabels()["app.kubernetes.io/instance"]; got != name {
			t.Errorf("%s %s: the label app.kubernetes.io/instance is %q", u.GetKind(), u.GetName(), got)
		}
		if u.GetName() == "" {
			t.Errorf("a %s has no name", u.GetKind())
		}
		if in := u.GetNamespace(); !clusterScoped[u.GetKind()] && in != name && in != "b" && u.GetKind() != "Role" && u.GetKind() != "RoleBinding" {
			t.Errorf("%s %s is in namespace %q", u.GetKind(), u.GetName(), in)
		}
	}
	deployment := decode[appsv1.Deployment](t, all.ofKind("Deployment")[0])
	selects := slices.ContainsFunc(deployment.Spec.Template.Spec.Containers[0].Args, func(arg string) bool {
		return strings.HasPrefix(arg, "--pod-labels=") && strings.Contains(arg, "app.kubernetes.io/instance="+name)
	})
	if !selects {
		t.Errorf("--pod-labels does not select the release: %q", deployment.Spec.Template.Spec.Containers[0].Args)
	}
	checkBindingsOf(t, all, name)
}

// checkBindingsOf: the role of every binding is rendered.
func checkBindingsOf(t *testing.T, all objects, name string) {
	t.Helper()
	for _, u := range append(all.ofKind("RoleBinding"), all.ofKind("ClusterRoleBinding")...) {
		role, _, err := unstructured.NestedString(u.Object, "roleRef", "name")
		if err != nil {
			t.Errorf("%s %s: %v", u.GetKind(), u.GetName(), err)
			continue
		}
		found := slices.ContainsFunc(all, func(o unstructured.Unstructured) bool {
			return strings.HasSuffix(o.GetKind(), "Role") && o.GetName() == role
		})
		if !found {
			t.Errorf("%s %s of %s: there is no role %s", u.GetKind(), u.GetName(), name, role)
		}
	}
}
