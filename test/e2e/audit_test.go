package e2e

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/auditlog"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// auditLine is the attributes of one line of a daemon's audit log.
type auditLine map[string]string

// auditLog reads a pod's audit log.
func auditLog(ctx context.Context, pod corev1.Pod) []auditLine {
	GinkgoHelper()
	log, err := clientset.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred(), "the log of pod %s", pod.Name)
	var lines []auditLine
	for text := range strings.Lines(string(log)) {
		if line := auditlog.Fields(strings.TrimSpace(text)); line["msg"] == "audit" {
			lines = append(lines, line)
		}
	}
	return lines
}

// expectAudited proves that the audit log of one of the server's pods has the session's login and both transfers of an
// expectTransfer, under the client's own address and port, and that each line names a proxy exactly if there is one.
func expectAudited(ctx context.Context, server *v1alpha1.FtpServer, session *ftpclient.Client, proxied bool) {
	GinkgoHelper()
	client := session.LocalAddr().String()
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		var own []auditLine
		peers := map[string]bool{}
		for _, pod := range pods(ctx, server) {
			for _, line := range auditLog(ctx, pod) {
				peers[line["peer"]] = true
				if line["peer"] == client {
					own = append(own, line)
				}
			}
		}
		g.Expect(peers).To(HaveKey(client), "the clients in the audit log")
		for _, event := range []string{"login", "upload", "download"} {
			g.Expect(own).To(ContainElement(And(
				HaveKeyWithValue("event", event), HaveKeyWithValue("result", "ok"), HaveKeyWithValue("user", user))))
		}
		for _, line := range own {
			_, told := line["proxy"]
			g.Expect(told).To(Equal(proxied), "whether a proxy told of %v", line)
		}
	}).WithTimeout(soon).Should(Succeed())
}
