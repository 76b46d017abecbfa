package e2e

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ftp-operator/ftp-operator/test/docs"
)

var _ = Describe("The tutorial", func() {
	It("works as it is written, from the first command to the last", func(ctx SpecContext) {
		if !env.loadBalancers.IsValid() {
			Skip("NOT TESTED: the tutorial: E2E_LB_CIDR names no addresses of load balancers that this machine can dial")
		}
		namespace := newNamespace(ctx, "tutorial")
		// Readers run all commands in one shell, since later ones use what earlier ones have set.
		script := []string{"cd " + GinkgoT().TempDir()}
		for _, command := range documented("docs/tutorial.md", "kubectl create secret generic alice-ftp") {
			if command.Inline {
				continue
			}
			script = append(script, fmt.Sprintf("echo '>> line %d'", command.Line), expectFailure(command.Text))
		}
		out := newShell(ctx, namespace).run(ctx, docs.Command{Page: "docs/tutorial.md", Text: strings.Join(script, "\n")})
		Expect(out).To(And(ContainSubstring("curl: (78)"), ContainSubstring("curl: (67)"),
			ContainSubstring("30000-30029"), ContainSubstring("CertificateMissing")))
	}, SpecTimeout(specTimeout))
})

// expectFailure returns the command as it is or, if its comment says that it fails, a command that fails unless it does.
func expectFailure(command string) string {
	failing, marked := strings.CutSuffix(command, "# fails")
	if !marked {
		return command
	}
	return "if " + failing + "; then echo 'it does not fail'; exit 1; fi"
}
