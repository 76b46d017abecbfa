package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// The page's example is a valid file.
func TestExample(t *testing.T) {
	_, rest, _ := strings.Cut(head, "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	if _, err := config.Parse([]byte(example)); err != nil {
		t.Errorf("%v\n%s", err, example)
	}
}

// Every section and every field of the configuration is on the page, with a text.
func TestPage(t *testing.T) {
	all, err := load("../../ftpd/config")
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := all.write(&page, "Config", ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## passive.overrides[]\n", "## tls.clientAuth\n", "## limits.bandwidth.session\n",
		"| `ports` | ports, as", "| `access` | `ReadOnly`, `ReadWrite`, `UploadOnly` |", "| `failures` | number |",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for line := range strings.Lines(page.String()) {
		if strings.HasSuffix(line, "|  |\n") {
			t.Errorf("a field without a text: %s", line)
		}
	}
}
