package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// failuresFile is the file, in the folder of artifacts, that says what failed and why. hack/e2e.sh prints it at the very
// end: of a long log only the end may be kept.
const failuresFile = "failures.txt"

// The bounds of one failure's message, in lines and in bytes of a line.
const (
	mostLines = 30
	mostBytes = 400
)

var _ = ReportAfterSuite("what failed and why", func(report Report) {
	text := failures(report)
	if text == "" || env.artifacts == "" {
		return
	}
	Expect(os.MkdirAll(env.artifacts, 0o755)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(env.artifacts, failuresFile), []byte(text), 0o600)).To(Succeed())
})

// failures returns the failed specs of a report, each with the first lines of its message.
func failures(report Report) string {
	var b strings.Builder
	for _, spec := range report.SpecReports {
		if !spec.Failed() {
			continue
		}
		fmt.Fprintf(&b, "%s\n    %s\n", cmp.Or(spec.FullText(), spec.LeafNodeType.String()), spec.FailureLocation())
		lines := strings.Split(strings.TrimSpace(spec.FailureMessage()), "\n")
		for _, line := range lines[:min(len(lines), mostLines)] {
			if len(line) > mostBytes {
				line = line[:mostBytes] + "..."
			}
			fmt.Fprintf(&b, "    %s\n", line)
		}
		if more := len(lines) - mostLines; more > 0 {
			fmt.Fprintf(&b, "    ... and %d more lines\n", more)
		}
	}
	return b.String()
}
