package chart

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestManagerTakesItsArguments: the operator knows every flag that chart and kustomize give it.
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
		// With --help at the end it stops before it does anything, but after it has read the others.
		args := append(managerArgs(t, all), "--help")
		if out, err := exec.CommandContext(t.Context(), manager, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: manager %q: %v\n%s", name, args, err, out)
		}
	}
}
