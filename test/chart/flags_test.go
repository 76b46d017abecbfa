package chart

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestManagerTakesItsArguments: the operator knows every flag that the chart and kustomize pass to it.
func TestManagerTakesItsArguments(t *testing.T) {
	manager := filepath.Join(t.TempDir(), "manager")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", manager, "../../cmd/manager").CombinedOutput(); err != nil {
		t.Fatalf("build the operator: %v\n%s", err, out)
	}
	renderings := map[string]objects{"kustomize": kustomize(t, "default")}
	for _, file := range valuesFiles(t) {
		renderings[filepath.Base(file)] = template(t, "-f", file)
	}
	for name, all := range renderings {
		// With --help at the end it parses the other flags, and exits before it does anything.
		args := append(managerArgs(t, all), "--help")
		if out, err := exec.CommandContext(t.Context(), manager, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: manager %q: %v\n%s", name, args, err, out)
		}
	}
}

// TestClass: the operator of a release with a class gets the flag for that class; without a class there is no such
// flag.
func TestClass(t *testing.T) {
	for set, want := range map[string]bool{"class=beta": true, "class=": false} {
		got := slices.Contains(managerArgs(t, template(t, "--set", set)), "--class=beta")
		if got != want {
			t.Errorf("with %s: --class=beta is %v", set, got)
		}
	}
}
