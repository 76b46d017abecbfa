// Package scripts tests the shell scripts below hack on which other scripts are based.
package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bash runs a script with arguments in a directory, and returns its output and exit status.
func bash(t *testing.T, dir, script string, args ...string) (output string, status int) {
	t.Helper()
	command := exec.Command("bash", append([]string{"-c", script, "bash"}, args...)...) //nolint:gosec // a test's own script
	command.Dir = dir
	out, err := command.CombinedOutput()
	if command.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), command.ProcessState.ExitCode()
}

// A failing step does not prevent the later ones: all steps run, and the summary says how each ended.
func TestEveryStepIsRun(t *testing.T) {
	script, err := os.ReadFile("../../hack/test.sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"hack/test.sh": string(script),
		"Makefile":     "one:\n\t@echo running one\ntwo:\n\t@false\nthree:\n\t@echo running three\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		steps  string
		status int
		want   []string
	}{
		{"one two three", 1, []string{"running one", "running three", "one          passed", "two          FAILED", "three        passed", "1 of 3 steps failed"}},
		{"one three", 0, []string{"all 2 steps passed"}},
	} {
		out, status := bash(t, dir, "bash hack/test.sh "+tt.steps)
		if status != tt.status {
			t.Errorf("%s: exit status %d, want %d", tt.steps, status, tt.status)
		}
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", tt.steps, want, out)
			}
		}
	}
}

// A long step's output goes to a file. If the step fails, the end of the output and the file's name are shown, and
// the caller gets the failure.
func TestWithProgress(t *testing.T) {
	lib, err := filepath.Abs("../../hack/lab/lib/progress.sh")
	if err != nil {
		t.Fatal(err)
	}
	const script = `set -euo pipefail; CACHE_DIR=$PWD; . "$1"; with_progress step 0 bash -c "$2"`
	dir := t.TempDir()
	out, status := bash(t, dir, script, lib, "echo go: downloading this; echo some/package; echo warning >&2")
	if status != 0 || out != "" {
		t.Errorf("a step that succeeds: status %d, output %q", status, out)
	}
	log := filepath.Join("logs", "step.log")
	text, err := os.ReadFile(filepath.Join(dir, log))
	if err != nil || strings.Count(string(text), "\n") != 3 {
		t.Errorf("its log: %v\n%s", err, text)
	}
	out, status = bash(t, dir, script, lib, "echo the reason; exit 3")
	if status != 3 || !strings.Contains(out, "the reason") || !strings.Contains(out, log) {
		t.Errorf("a step that fails: status %d, output %q", status, out)
	}
}
