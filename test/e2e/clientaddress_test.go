package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("The audit log", func() {
	It("of a single replica names the client's own address, through the load balancer", func(ctx SpecContext) {
		server := newServer(ctx, func(s *v1alpha1.FtpServer) { s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer })
		waitReady(ctx, server)
		service := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		Expect(service.Spec.ExternalTrafficPolicy).To(Equal(corev1.ServiceExternalTrafficPolicyLocal))

		for from, network := range networks(server.Status.AdvertisedAddress) {
			By("dialling from " + from)
			session := login(ctx, network, server)
			expectTransfer(ctx, session, ftpclient.PASV)
			expectAudited(ctx, server, session, false)
			Expect(session.Quit()).To(Succeed())
		}
	}, SpecTimeout(specTimeout))
})
