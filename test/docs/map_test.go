package docs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// markdown returns the project's own pages, as paths below the root of the repository.
func markdown(t *testing.T) []string {
	t.Helper()
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "charts/*/*.md", "hack/*/*.md", ".github/*.md"} {
		found, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	return pages
}

// pageText returns the text of a page.
func pageText(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMapListsEveryPage: docs/README.md has one row for each page of docs.
func TestMapListsEveryPage(t *testing.T) {
	listed := pageText(t, "docs/README.md")
	for _, page := range markdown(t) {
		name, isDoc := strings.CutPrefix(page, "docs/")
		if !isDoc || name == "README.md" {
			continue
		}
		if n := strings.Count(listed, "\n| ["+name+"]("+name+") |"); n != 1 {
			t.Errorf("docs/README.md has %d rows for %s", n, name)
		}
	}
}

var (
	// link finds the target of a link, without a title.
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// notInAnchor finds what GitHub leaves out of the anchor of a heading.
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	fenced      = regexp.MustCompile("(?s)(?:^|\n)```.*?\n```")
)

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(fenced.ReplaceAllString(text, "")) {
		heading := strings.TrimLeft(line, "#")
		if heading == line || !strings.HasPrefix(heading, " ") {
			continue
		}
		anchor := notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
		all[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	return all
}

// TestLinksResolve: each link to a file of the repository, and to a heading of a page, leads to one that exists.
func TestLinksResolve(t *testing.T) {
	for _, page := range markdown(t) {
		for _, found := range link.FindAllStringSubmatch(fenced.ReplaceAllString(pageText(t, page), ""), -1) {
			file, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			target := page
			if file != "" {
				target = path.Join(path.Dir(page), file)
			}
			info, err := os.Stat(filepath.Join(root, filepath.FromSlash(target)))
			if err != nil {
				t.Errorf("%s: %s leads nowhere", page, found[1])
				continue
			}
			if anchor != "" && !info.IsDir() && !anchors(pageText(t, target))[anchor] {
				t.Errorf("%s: %s has no such heading", page, found[1])
			}
		}
	}
}
