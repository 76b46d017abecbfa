package metrics_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md anew")

const docsPage = "../../docs/metrics.md"

const (
	tableBegin = "<!-- begin: metrics of the daemon; go test ./ftpd/metrics -update writes them -->\n"
	tableEnd   = "<!-- end -->\n"
)

// The page must list every metric, with its help text, and no other.
func TestDocumented(t *testing.T) {
	t.Parallel()
	s := everything(t)
	var b strings.Builder
	b.WriteString("| Metric | Type | Labels | Meaning |\n|-|-|-|-|\n")
	families := s.families(t)
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if !strings.HasPrefix(name, "ftp_") {
			continue
		}
		f := families[name]
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, strings.ToLower(f.GetType().String()), labelsOf(f), f.GetHelp())
	}
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(page), tableBegin)
	_, tail, closed := strings.Cut(rest, tableEnd)
	if !found || !closed {
		t.Fatalf("%s lacks the lines %q and %q", docsPage, tableBegin, tableEnd)
	}
	want := head + tableBegin + b.String() + tableEnd + tail
	if want == string(page) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the server has: run go test ./ftpd/metrics -update. It should say:\n%s", docsPage, b.String())
	}
	if err := os.WriteFile(docsPage, []byte(want), 0o644); err != nil { //nolint:gosec // a page of the project
		t.Fatal(err)
	}
}

// free lists the labels whose values are not known beforehand.
var free = []string{"command", "code", "hash", "version", "goversion", "names", "index"}

// labelsOf lists the labels of a metric, with their values if there are only a few.
func labelsOf(f *dto.MetricFamily) string {
	values := map[string][]string{}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if !slices.Contains(values[l.GetName()], l.GetValue()) {
				values[l.GetName()] = append(values[l.GetName()], l.GetValue())
			}
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := "`" + name + "`"
		if !slices.Contains(free, name) {
			slices.Sort(values[name])
			text += ": " + strings.Join(values[name], ", ")
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}
