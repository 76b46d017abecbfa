package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ranBy maps, for each page, the beginning of a command to the file of the test that runs it, below the root of the
// repository. TestEveryCommandIsRun fails if a command is missing here.
var ranBy = map[string]map[string]string{
	"README.md": {
		"helm install ftp-operator": "test/e2e/suite_test.go",
		"kubectl ":                  "test/e2e/docs_readme_test.go",
		"curl -T report.pdf":        "test/e2e/docs_readme_test.go",
		"go build":                  "test/docs/standalone_test.go",
		"mkdir":                     "test/docs/standalone_test.go",
		"bin/ftpd --root":           "test/docs/standalone_test.go",
		"bin/ftpd --help":           "cmd/ftpd/flags_test.go",
		// It needs a container engine; hack/image builds the same image for all other tests.
		"docker build": "hack/image/build_test.go",
	},
	"charts/ftp-operator/README.md": {
		"helm install ftp-operator": "test/e2e/suite_test.go",
		"helm install ... --take":   "test/chart/helm_test.go",
		"helm show values":          "test/chart/helm_test.go",
		"kubectl delete crd":        "test/e2e/cluster_test.go",
	},
	"docs/admin.md": {
		"kubectl port-forward":  "test/e2e/docs_readme_test.go",
		"curl --silent --retry": "test/e2e/docs_readme_test.go",
		"bin/ftpd --root":       "test/docs/standalone_test.go",
		"curl --unix-socket":    "test/docs/standalone_test.go",
	},
	"docs/daemon-configuration.md": {
		"ftpd --config": "cmd/ftpd/serve_test.go",
		"ftpd --check":  "cmd/ftpd/serve_test.go",
	},
	"docs/routing.md":            {"kubectl delete pod": "test/e2e/routing_test.go"},
	"docs/architecture.md":       {"ftpd --check": "cmd/ftpd/check_test.go"},
	"docs/backup-and-restore.md": {"kubectl ": "test/e2e/docs_readme_test.go"},
	"docs/tutorial.md": {
		"kubectl ":  "test/e2e/docs_tutorial_test.go",
		"ADDRESS=":  "test/e2e/docs_tutorial_test.go",
		"echo ":     "test/e2e/docs_tutorial_test.go",
		"curl ":     "test/e2e/docs_tutorial_test.go",
		"openssl ":  "test/e2e/docs_tutorial_test.go",
		"rm hello.": "test/e2e/docs_tutorial_test.go",
	},
	"docs/troubleshooting.md": {"kubectl ": "test/e2e/docs_readme_test.go"},
	"docs/metrics.md":         {"helm upgrade": "test/e2e/docs_readme_test.go"},
	"docs/passive-range.md":   {"kubectl get ftpserver NAME": "test/e2e/passive_test.go"},
	"docs/scaling.md":         {"kubectl scale ftpserver": "test/e2e/change_test.go", "kubectl scale deployment": "controllers/scale_test.go"},
}

// TestEveryCommandIsRun: a test runs every command in the documentation.
func TestEveryCommandIsRun(t *testing.T) {
	const root = "../.."
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, page := range pages {
		commands, err := Commands(root, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commands {
			words := strings.Fields(c.Text)
			switch {
			case words[0] == "make":
				if !strings.Contains(string(makefile), "\n"+words[1]+":") {
					t.Errorf("%s: the Makefile has no target %s", c, words[1])
				}
				continue
			case c.Inline && len(words) == 2 && !strings.HasPrefix(words[1], "-") || c.Inline && words[0] == "ctr", c.Inline && words[0] == "kind":
				continue // the sentence names a verb of a program, not a command to run
			}
			if file := runnerOf(c, used); file == "" {
				t.Errorf("%s: no test runs it. Have one do so, and name the test in ranBy", c)
			} else if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s: %v", c, err)
			}
		}
	}
	for page, commands := range ranBy {
		for begin := range commands {
			if !used[page+begin] {
				t.Errorf("%s has no command that begins with %q any more: remove it from ranBy", page, begin)
			}
		}
	}
}

// runnerOf returns the test that runs the command according to ranBy, and marks the entry as used.
func runnerOf(c Command, used map[string]bool) string {
	for begin, file := range ranBy[c.Page] {
		if strings.HasPrefix(strings.TrimSpace(c.Text), begin) {
			used[c.Page+begin] = true
			return file
		}
	}
	return ""
}
