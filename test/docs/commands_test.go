package docs

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	page := "Type `make demo` or `kubectl get ftpservers`, not `ftpd/config`.\n" +
		"```sh\n# a comment\nhelm install x \\\n  --set a=b\n\nkubectl apply -f - <<'EOF'\nkind: X\nEOF\na |\n  jq 'b\n  c' > d\nbin/ftpd --help   # shows all\n```\n" +
		"```yaml\nkubectl: no command\n```\n"
	want := []Command{
		{"page.md", 1, "make demo", true},
		{"page.md", 1, "kubectl get ftpservers", true},
		{"page.md", 4, "helm install x \\\n  --set a=b", false},
		{"page.md", 7, "kubectl apply -f - <<'EOF'\nkind: X\nEOF", false},
		{"page.md", 10, "a |\n  jq 'b\n  c' > d", false},
		{"page.md", 13, "bin/ftpd --help   # shows all", false},
	}
	if got := parse("page.md", page); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
