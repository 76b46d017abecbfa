package e2e

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// handClass is a load balancer class without a controller: the test itself writes what the controller would.
const handClass = "e2e.ftp-operator.io/by-hand"

var _ = Describe("A running server follows changes", func() {
	It("of the load balancer's address, within seconds, keeping pod and sessions", func(ctx SpecContext) {
		class := handClass
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.Service.LoadBalancerClass = &class
		})
		first, second := addressByHand(1), addressByHand(2)

		By("waiting for an address, and saying so")
		waiting := eventually(ctx, server, v1alpha1.ConditionAddressResolved, metav1.ConditionFalse)
		Expect(waiting.Message).NotTo(BeEmpty())
		Consistently(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(condition(server, v1alpha1.ConditionReady)).NotTo(HaveField("Status", metav1.ConditionTrue))
		}).Should(Succeed())

		By("becoming ready when it has one")
		assignByHand(ctx, server, first)
		waitReady(ctx, server)
		pod := onePod(ctx, server)
		session := login(ctx, inPod, server)
		expectPASV(session, first, server.Spec.Passive.PortRange)
		expectTransfer(ctx, session, ftpclient.PASV)
		upload, err := session.BeginStore(ctx, ftpclient.EPSV, "across.bin")
		Expect(err).NotTo(HaveOccurred())
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		other := login(ctx, inPod, server)

		By("naming the new one in PASV replies of running sessions")
		assignByHand(ctx, server, second)
		Eventually(func() (string, error) { return pasvHost(other) }).WithTimeout(soon).Should(Equal(second))

		By("with nothing lost")
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		Expect(upload.Finish()).To(Succeed())
		expectPASV(session, second, server.Spec.Passive.PortRange)
		expectTransfer(ctx, session, ftpclient.PASV)
		expectSamePod(ctx, server, pod)
		waitReady(ctx, server)
		Expect(server.Status.AdvertisedAddress).To(Equal(second))
		expectTransfer(ctx, login(ctx, inPod, server), ftpclient.PASV)
	}, SpecTimeout(specTimeout))

	It("of users and passwords, within seconds, keeping the sessions of the others", func(ctx SpecContext) {
		server := newServer(ctx, nil)
		waitReady(ctx, server)
		pod := onePod(ctx, server)
		session := login(ctx, inPod, server)

		By("a new user")
		setPassword(ctx, server.Namespace, "bob", "first")
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Users = append(s.Spec.Users, ftpUser("bob")) })
		Eventually(ctx, func(ctx context.Context) error { return tryLogin(ctx, server, "bob", "first") }).
			WithTimeout(soon).Should(Succeed())

		By("a changed password")
		setPassword(ctx, server.Namespace, "bob", "second")
		Eventually(ctx, func(ctx context.Context) error { return tryLogin(ctx, server, "bob", "second") }).
			WithTimeout(soon).Should(Succeed())
		Expect(tryLogin(ctx, server, "bob", "first")).NotTo(Succeed(), "the old password")

		By("a removed user, who is logged in")
		bob, err := ftpclient.Login(ctx, inPod, controlAddress(server), "bob", "second")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = bob.Close() })
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Users = s.Spec.Users[:1] })
		Eventually(ctx, func(ctx context.Context) error { return tryLogin(ctx, server, "bob", "second") }).
			WithTimeout(soon).ShouldNot(Succeed())
		_, err = bob.Command(421, "NOOP")
		Expect(err).NotTo(HaveOccurred(), "the session of a user who was removed")

		By("while alice's session was not disturbed")
		expectTransfer(ctx, session, ftpclient.PASV)
		Expect(session.Quit()).To(Succeed())
		expectSamePod(ctx, server, pod)
	}, SpecTimeout(specTimeout))

	It("of the passive range: sessions end in good order, and new ones get the new ports", func(ctx SpecContext) {
		before := v1alpha1.PortRange{Start: 30000, End: 30009}
		after := v1alpha1.PortRange{Start: 30020, End: 30029}
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Passive.PortRange = before
			// The grace period is so long that it ends nothing in this test.
			grace := int64(600)
			s.Spec.Template.TerminationGracePeriodSeconds = &grace
		})
		waitReady(ctx, server)
		session := login(ctx, inPod, server)
		expectPASV(session, server.Status.AdvertisedAddress, before)
		upload, err := session.BeginStore(ctx, ftpclient.PASV, "long.bin")
		Expect(err).NotTo(HaveOccurred())
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())

		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Passive.PortRange = after })
		By("new sessions get ports of the new range")
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			c, err := ftpclient.Login(ctx, inPod, controlAddress(server), user, password)
			g.Expect(err).NotTo(HaveOccurred())
			defer func() { _ = c.Close() }()
			port, err := pasvPort(c)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(port).To(And(BeNumerically(">=", after.Start), BeNumerically("<=", after.End)))
		}).WithTimeout(specTimeout / 2).WithPolling(pollSlowly).Should(Succeed())

		By("the running transfer goes on, and its session has another")
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		Expect(upload.Finish()).To(Succeed())
		expectTransfer(ctx, session, ftpclient.PASV)
		Expect(session.Quit()).To(Succeed())

		By("then the old ports are closed everywhere")
		waitReady(ctx, server)
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			service := &corev1.Service{}
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
			g.Expect(service.Spec.Ports).To(HaveLen(11))
			for _, port := range service.Spec.Ports {
				g.Expect(port.Port).To(Or(BeEquivalentTo(21), BeNumerically(">=", after.Start)))
			}
		}).WithTimeout(specTimeout / 2).Should(Succeed())
		expectTransfer(ctx, login(ctx, inPod, server), ftpclient.PASV)
	}, SpecTimeout(specTimeout))
})

// addressByHand returns the n-th address that the tests themselves assign: one of the last addresses that this
// machine reaches, which the load balancer does not get to, or one of a network for documentation.
func addressByHand(n int) string {
	GinkgoHelper()
	network := netip.MustParsePrefix("198.51.100.0/24")
	if env.loadBalancers.IsValid() {
		network = env.loadBalancers
	}
	Expect(network.Bits()).To(BeNumerically("<=", 24), "E2E_LB_CIDR is too small")
	b := network.Masked().Addr().As4()
	b[3] = byte(250 + n)
	return netip.AddrFrom4(b).String()
}

// assignByHand does what a load balancer's controller would do.
func assignByHand(ctx context.Context, server *v1alpha1.FtpServer, address string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) error {
		service := &corev1.Service{}
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(server), service); err != nil {
			return err
		}
		service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
		return k8s.Status().Update(ctx, service)
	}).Should(Succeed())
}
