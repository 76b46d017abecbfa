package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ftp-operator/ftp-operator/test/docs"
)

// root is the root directory of the repository.
const root = "../.."

// shell runs commands of the documentation as readers do: in bash, from the root of the repository, with kubectl and
// helm in the PATH and a kubeconfig for one namespace.
type shell struct {
	environment []string
	replace     *strings.Replacer
}

// shells is the directory of all shells. Cleanups use shells, too, and can't register a cleanup for a directory of
// their own.
var shells string

// newShell returns a shell for the namespace. Placeholders in the pages are replaced: pairs are placeholders, each
// followed by its replacement. The operator's image is always replaced.
func newShell(ctx context.Context, namespace string, pairs ...string) shell {
	GinkgoHelper()
	folder, err := os.MkdirTemp(shells, "")
	Expect(err).NotTo(HaveOccurred())
	for name, program := range map[string]string{"kubectl": env.kubectl, "helm": env.helm} {
		found, err := exec.LookPath(program)
		Expect(err).NotTo(HaveOccurred())
		found, err = filepath.Abs(found)
		Expect(err).NotTo(HaveOccurred())
		// A script and not a link: Kubernetes' programs may be one binary that decides by its name.
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\"\n", found)
		Expect(os.WriteFile(filepath.Join(folder, name), []byte(script), 0o755)).To(Succeed()) //nolint:gosec // a program
	}
	kubeconfig, err := os.ReadFile(env.kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	own := filepath.Join(folder, "kubeconfig")
	Expect(os.WriteFile(own, kubeconfig, 0o600)).To(Succeed())
	kubectl(ctx, "config", "set-context", "--current", "--namespace="+namespace, "--kubeconfig="+own)

	at := strings.LastIndex(env.image, ":")
	Expect(at).To(BeNumerically(">", 0), "E2E_IMAGE=%s: it needs a tag", env.image)
	pairs = append(pairs, "image.repository=registry.example.com/ftp-operator", "image.repository="+env.image[:at],
		"image.tag=0.1.0", "image.tag="+env.image[at+1:])
	return shell{
		environment: append(os.Environ(), "KUBECONFIG="+own, "PATH="+folder+":"+os.Getenv("PATH")),
		replace:     strings.NewReplacer(pairs...),
	}
}

// run runs a command; if it fails, the test fails with its output.
func (s shell) run(ctx context.Context, command docs.Command) string {
	GinkgoHelper()
	text := s.replace.Replace(command.Text)
	program := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", text)
	program.Dir, program.Env = root, s.environment
	out, err := program.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s:%d:\n%s\n%s", command.Page, command.Line, text, out)
	return string(out)
}

// documented returns the commands of a page from the first one that contains the text. It expects at least one.
func documented(page, from string) []docs.Command {
	GinkgoHelper()
	commands, err := docs.Commands(root, page)
	Expect(err).NotTo(HaveOccurred())
	i := slices.IndexFunc(commands, func(c docs.Command) bool { return strings.Contains(c.Text, from) })
	Expect(i).NotTo(Equal(-1), "%s has no command with %q", page, from)
	return commands[i:]
}
