package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("A server says what is wrong, and goes on when it is put right", func() {
	It("when a password's Secret is missing: the other users can log in", func(ctx SpecContext) {
		server := newServer(ctx, func(s *v1alpha1.FtpServer) { s.Spec.Users = append(s.Spec.Users, ftpUser("bob")) })
		said := eventually(ctx, server, v1alpha1.ConditionUsersReady, metav1.ConditionFalse)
		Expect(said.Message).To(ContainSubstring("bob"))
		eventually(ctx, server, v1alpha1.ConditionAvailable, metav1.ConditionTrue)
		expectTransfer(ctx, login(ctx, inPod, server), ftpclient.PASV)
		Expect(tryLogin(ctx, server, "bob", "")).NotTo(Succeed())

		setPassword(ctx, server.Namespace, "bob", "first")
		waitReady(ctx, server)
		Expect(tryLogin(ctx, server, "bob", "first")).To(Succeed())
	}, SpecTimeout(specTimeout))

	It("when a Service of its name is somebody else's: it is not touched", func(ctx SpecContext) {
		foreign := &corev1.Service{}
		foreign.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80}}
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			foreign.Namespace, foreign.Name = s.Namespace, s.Name
			Expect(k8s.Create(ctx, foreign)).To(Succeed())
		})
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(condition(server, v1alpha1.ConditionReady)).To(HaveValue(And(
				HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("Service")))))
		}).Should(Succeed())
		now := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(foreign), now)).To(Succeed())
		Expect(now.ResourceVersion).To(Equal(foreign.ResourceVersion))

		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		waitReady(ctx, server)
		expectTransfer(ctx, login(ctx, inPod, server), ftpclient.PASV)
	}, SpecTimeout(specTimeout))
})
