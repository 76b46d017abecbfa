package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/docs"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("The README", func() {
	It("leads to a server that serves, and its password can be changed as it says", func(ctx SpecContext) {
		namespace := newNamespace(ctx, "readme")
		folder := GinkgoT().TempDir()
		report := filepath.Join(folder, "report.pdf")
		Expect(os.WriteFile(report, []byte("a report"), 0o600)).To(Succeed())

		plain := newShell(ctx, namespace)
		var server *v1alpha1.FtpServer
		for _, command := range documented("README.md", "kubectl apply -f config/samples/ftpserver.yaml") {
			switch {
			case strings.HasPrefix(command.Text, "kubectl delete ftpservers"):
				loginFails(ctx, server, user, "secret")
				session, err := ftpclient.Login(ctx, ftpclient.Host{}, controlAddress(server), user, "a-better-one")
				Expect(err).NotTo(HaveOccurred())
				Expect(session.Quit()).To(Succeed())
				askAbout(ctx, server)
				restoreByHand(ctx, server)
				plain.run(ctx, command)
				return
			case strings.HasPrefix(command.Text, "curl "):
				server = readme(ctx, namespace)
				newShell(ctx, namespace, "203.0.113.10", server.Status.AdvertisedAddress, "report.pdf", report).run(ctx, command)
				Expect(stored(ctx, server)).To(ContainElement(HaveSuffix("report.pdf")))
				forward := documented("docs/admin.md", "kubectl port-forward deployment")[:2]
				forward[0].Text += "\ntrap 'kill $!' EXIT\n" + forward[1].Text
				Expect(plain.run(ctx, forward[0])).To(ContainSubstring("sessions"))
			case strings.HasPrefix(command.Text, "make "), strings.HasPrefix(command.Text, "docker "):
			default:
				plain.run(ctx, command)
			}
		}
		Fail("the README no longer says how to delete servers")
	}, SpecTimeout(specTimeout))

	It("and the metrics page: the chart takes what they say about metrics", func(ctx SpecContext) {
		kubectl(ctx, "apply", "--filename", "testdata/prometheus-operator-crds.yaml")
		DeferCleanup(kubectl, "delete", "--filename", "testdata/prometheus-operator-crds.yaml")
		sh := newShell(ctx, "default")
		sh.run(ctx, documented("docs/metrics.md", "helm upgrade ftp-operator")[0])
		sh.run(ctx, docs.Command{Page: "this test", Text: "helm upgrade ftp-operator charts/ftp-operator --namespace ftp-operator-system --reuse-values" +
			" --set metrics.serviceMonitor.enabled=false --set metrics.podMonitor.enabled=false" +
			" --set metrics.prometheusRule.enabled=false --set metrics.dashboard.enabled=false"})
	}, SpecTimeout(specTimeout))
})

// askAbout runs the commands of the troubleshooting page for the server. Their output is for users and not checked,
// but kubectl must accept each of them.
func askAbout(ctx context.Context, server *v1alpha1.FtpServer) {
	GinkgoHelper()
	sh := newShell(ctx, server.Namespace, "NAMESPACE", server.Namespace, "NAME", server.Name, "SECRET", "alice-ftp",
		"POD", onePod(ctx, server).Name, "NS", server.Namespace, `\|`, "|")
	ran := map[string]bool{}
	for _, command := range documented("docs/troubleshooting.md", "kubectl get ftpservers") {
		// The sample has no claim, no earlier container and no cert-manager.
		named := len(strings.Fields(command.Text)) == 2 // a verb within a sentence
		if named || ran[command.Text] || strings.Contains(command.Text, "pvc -n NS NAME-data") ||
			strings.Contains(command.Text, "--previous") || strings.Contains(command.Text, "certificate") ||
			strings.Contains(command.Text, "CLAIM") {
			continue
		}
		ran[command.Text] = true
		sh.run(ctx, command)
	}
	Expect(len(ran)).To(BeNumerically(">", 10))
}

// restoreByHand runs the commands of the backup page and waits until the server works again.
func restoreByHand(ctx context.Context, server *v1alpha1.FtpServer) {
	GinkgoHelper()
	sh := newShell(ctx, server.Namespace, "backup.json", filepath.Join(GinkgoT().TempDir(), "backup.json"))
	for _, command := range documented("docs/backup-and-restore.md", "kubectl get ftpserver,deployment") {
		if !command.Inline {
			sh.run(ctx, command)
		}
	}
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		again := readme(ctx, server.Namespace)
		g.Expect(again.UID).NotTo(Equal(server.UID))
		*server = *again
	}).Should(Succeed())
	waitReady(ctx, server)
	session, err := ftpclient.Login(ctx, ftpclient.Host{}, controlAddress(server), user, "a-better-one")
	Expect(err).NotTo(HaveOccurred())
	Expect(session.Quit()).To(Succeed())
}

// readme returns the server of the README's sample.
func readme(ctx context.Context, namespace string) *v1alpha1.FtpServer {
	GinkgoHelper()
	server := &v1alpha1.FtpServer{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "files"}, server)).To(Succeed())
	return server
}

// stored lists the files of the README's user.
func stored(ctx context.Context, server *v1alpha1.FtpServer) []string {
	GinkgoHelper()
	session, err := ftpclient.Login(ctx, ftpclient.Host{}, controlAddress(server), user, "secret")
	Expect(err).NotTo(HaveOccurred())
	lines, err := session.List(ctx, ftpclient.EPSV)
	Expect(err).NotTo(HaveOccurred())
	Expect(session.Quit()).To(Succeed())
	return lines
}

// loginFails waits until the password is refused: a changed Secret takes a short time to reach the daemon.
func loginFails(ctx context.Context, server *v1alpha1.FtpServer, user, password string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) error {
		session, err := ftpclient.Login(ctx, ftpclient.Host{}, controlAddress(server), user, password)
		if err == nil {
			_ = session.Quit()
		}
		return err
	}).Should(MatchError(ContainSubstring("530")))
}
