package cel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// TestDocs: the API server accepts, unchanged, every FtpServer that a page of the documentation shows.
func TestDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	count := 0
	for _, page := range append(pages, "../../README.md") {
		if filepath.Base(page) == "api.md" {
			continue // fields, not objects
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range yamlBlocks(string(text)) {
			for document := range strings.SplitSeq(block, "\n---\n") {
				u := &unstructured.Unstructured{}
				if err := yaml.UnmarshalStrict([]byte(document), &u.Object); err != nil {
					t.Errorf("%s, YAML block %d: %v", filepath.Base(page), i+1, err)
					continue
				}
				if u.GroupVersionKind() != v1alpha1.GroupVersion.WithKind("FtpServer") {
					continue
				}
				count++
				u.SetNamespace(namespace)
				if err := dryRun(t.Context(), u); err != nil {
					t.Errorf("%s, FtpServer %s: %v", filepath.Base(page), u.GetName(), err)
				}
			}
		}
	}
	if count < 10 {
		t.Errorf("found only %d FtpServers", count)
	}
}

// yamlBlocks returns the fenced blocks of a page that are marked as YAML.
func yamlBlocks(page string) []string {
	var blocks []string
	var block strings.Builder
	inside := false
	for line := range strings.Lines(page) {
		switch fence := strings.TrimSpace(line); {
		case !inside && fence == "```yaml":
			inside = true
			block.Reset()
		case inside && fence == "```":
			inside = false
			blocks = append(blocks, block.String())
		case inside:
			block.WriteString(line)
		}
	}
	return blocks
}
