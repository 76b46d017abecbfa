package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// serverChart is a chart as a team that provides FTP servers would write it.
var serverChart = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: files\nversion: 0.1.0\n",
	"values.yaml": "start: 30000\nend: 30009\nusers: {alice: alice}\n",
	"templates/all.yaml": `
apiVersion: ftp-operator.io/v1alpha1
kind: FtpServer
metadata: {name: files}
spec:
  service: {type: ClusterIP}
  storage: {emptyDir: {}}
  passive: {portRange: {start: {{ .Values.start }}, end: {{ .Values.end }}}}
  template: {terminationGracePeriodSeconds: 10}
  users:
  {{- range $name, $secret := .Values.users }}
  - {name: {{ $name }}, passwordSecretRef: {name: {{ $secret }}, key: password}}
  {{- end }}
`,
}

// No test here retries: when a server is reported as ready, clients must be served.
var _ = Describe("Who waits for a server", func() {
	It("by helm --wait or kubectl wait, is told the truth", func(ctx SpecContext) {
		chart := GinkgoT().TempDir()
		Expect(os.Mkdir(filepath.Join(chart, "templates"), 0o755)).To(Succeed())
		for name, content := range serverChart {
			Expect(os.WriteFile(filepath.Join(chart, name), []byte(content), 0o600)).To(Succeed())
		}
		namespace := newNamespace(ctx, "waited")
		setPassword(ctx, namespace, user, password)
		setPassword(ctx, namespace, "bob", password)
		server := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "files"}}
		upgrade := func(timeout string, more ...string) (string, error) {
			return tryCommand(ctx, env.helm, append([]string{"upgrade", "--install", "files", chart,
				"--namespace", namespace, "--reset-values", "--wait", "--timeout", timeout}, more...)...)
		}
		wait := func(timeout string) (string, error) {
			return tryCommand(ctx, env.kubectl, "wait", "--namespace", namespace, "ftpservers/files", "--for=condition=Ready", "--timeout="+timeout)
		}
		served := func(user string) {
			GinkgoHelper()
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			session, err := ftpclient.Login(ctx, inPod, controlAddress(server), user, password)
			Expect(err).NotTo(HaveOccurred())
			expectPASV(session, server.Status.AdvertisedAddress, server.Spec.Passive.PortRange)
			expectTransfer(ctx, session, ftpclient.PASV)
			Expect(session.Quit()).To(Succeed())
		}

		By("a Secret that is not there")
		out, err := upgrade("6s", "--set", "users.alice=absent")
		Expect(err).To(HaveOccurred(), "helm --wait: %s", out)
		out, err = wait("1s")
		Expect(err).To(HaveOccurred(), "kubectl wait: %s", out)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		Expect(condition(server, v1alpha1.ConditionReady)).To(HaveValue(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("absent")))))

		By("put right")
		out, err = upgrade("90s")
		Expect(err).NotTo(HaveOccurred(), out)
		served(user)
		out, err = wait("1s")
		Expect(err).NotTo(HaveOccurred(), out)

		By("a user more, whom the running daemon gets to know")
		out, err = upgrade("90s", "--set", "users.bob=bob")
		Expect(err).NotTo(HaveOccurred(), out)
		served("bob")

		By("another range, for which pods are replaced")
		out, err = upgrade("90s", "--set", "start=30020", "--set", "end=30029")
		Expect(err).NotTo(HaveOccurred(), out)
		served(user)

		By("the server deleted and made anew, by kubectl")
		out, err = tryCommand(ctx, env.helm, "uninstall", "files", "--namespace", namespace, "--wait")
		Expect(err).NotTo(HaveOccurred(), out)
		anew := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "files"}, Spec: server.Spec}
		Expect(k8s.Create(ctx, anew)).To(Succeed())
		out, err = wait("90s")
		Expect(err).NotTo(HaveOccurred(), out)
		served(user)
	}, SpecTimeout(specTimeout))
})

// tryCommand runs a program on the cluster and returns its output.
func tryCommand(ctx context.Context, program string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, program, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+env.kubeconfig)
	out, err := command.CombinedOutput()
	return string(out), err
}
