package e2e

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/load"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
	"github.com/ftp-operator/ftp-operator/test/pki"
)

// While an operator is upgraded or rolled back, pods and operator are of different releases for as long as the pods
// drain. The previous release here is the last one whose daemon refuses a configuration with an unknown key (PREVIOUS
// in hack/images.sh).
var _ = Describe("Two releases side by side", func() {
	var (
		ca      *pki.CA
		server  *v1alpha1.FtpServer
		running *load.Load
	)
	// start creates a server whose daemons run the image, and puts it under load.
	start := func(ctx context.Context, image string) {
		GinkgoHelper()
		if env.previousImage == "" {
			Skip("NOT TESTED: version skew: there is no image of the previous release (PREVIOUS_IMAGE)")
		}
		needSeveralNodes(ctx)
		var err error
		ca, err = pki.NewCA("e2e")
		Expect(err).NotTo(HaveOccurred())
		server = newServer(ctx, func(s *v1alpha1.FtpServer) {
			setCertificate(ctx, s.Namespace, ca, hostName)
			two, grace := int32(2), int64(120)
			s.Spec.Image = image
			s.Spec.Replicas = &two
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30031}
			s.Spec.TLS = &v1alpha1.TLSSpec{SecretName: certificateSecret, Mode: v1alpha1.TLSOptional}
			s.Spec.Template.TerminationGracePeriodSeconds = &grace
			s.Spec.Storage = manyPodsStorage()
		})
		waitReady(ctx, server)
		cfg := load.Config{
			Network: ftpclient.Host{}, Address: controlAddress(server), User: user, Password: password,
			TLS: &tls.Config{RootCAs: ca.Pool, ServerName: hostName, MinVersion: tls.VersionTLS12},
			Dir: "skewed-", Clients: 10, PerSession: 5, MaxSize: 128 << 10,
			Pause: 200 * time.Millisecond, RetryAfter: 500 * time.Millisecond, Seed: uint64(GinkgoRandomSeed()),
		}
		running = load.Start(ctx, cfg)
		Eventually(ctx, running.Tried).Should(BeNumerically(">", cfg.Clients))
	}
	// change changes what running daemons reload and what new pods start with.
	change := func(ctx context.Context, image string) {
		GinkgoHelper()
		By("a new user")
		setPassword(ctx, server.Namespace, "bob", "first")
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Users = append(s.Spec.Users, ftpUser("bob")) })
		Eventually(ctx, func(ctx context.Context) error {
			for range 4 { // on all pods
				c, err := ftpclient.Login(ctx, ftpclient.Host{}, controlAddress(server), "bob", "first")
				if err != nil {
					return err
				}
				_ = c.Quit()
			}
			return nil
		}).Should(Succeed())
		By("a new certificate")
		renewed := setCertificate(ctx, server.Namespace, ca, hostName)
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			for range 4 {
				c, err := ftpclient.LoginTLS(ctx, ftpclient.Host{}, ftpclient.Explicit, controlAddress(server), user, password,
					&tls.Config{RootCAs: ca.Pool, ServerName: hostName, MinVersion: tls.VersionTLS12})
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(c.Certificate().Raw).To(Equal(renewed))
				g.Expect(c.Quit()).To(Succeed())
			}
		}).Should(Succeed())
		By("a larger passive range, and one more pod")
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			three := int32(3)
			s.Spec.Replicas = &three
			s.Spec.Passive.PortRange.End = 30047
		})
		waitPods(ctx, server, 3, ofImage(image))
		waitReady(ctx, server)
	}
	// rollIn rolls out another image of the daemon.
	rollIn := func(ctx context.Context, image string) {
		GinkgoHelper()
		By("the daemons of " + image + " roll in")
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Image = image })
		waitPods(ctx, server, 3, ofImage(image))
		waitReady(ctx, server)
	}
	expectNothingFailed := func(what string) {
		GinkgoHelper()
		report := running.Stop()
		sum := tell(what, report)
		Expect(sum.Outcomes).To(Equal(map[load.Outcome]int{load.Completed: sum.Transfers}), report.Failures(20))
		Expect(sum.RefusedAgain).To(BeZero(), "sessions refused for longer than a retry: %s", report.Failures(20))
	}

	It("lose nothing: daemons of the previous one under this operator, an upgrade, a rollback", func(ctx SpecContext) {
		start(ctx, env.previousImage)
		change(ctx, env.previousImage)
		rollIn(ctx, env.image)
		rollIn(ctx, env.previousImage)
		expectNothingFailed("daemons of the previous release under this operator")
	}, SpecTimeout(routingTimeout))

	It("lose nothing: daemons of this one under the previous operator, and its upgrade", func(ctx SpecContext) {
		start(ctx, env.image)
		DeferCleanup(func(ctx SpecContext) { upgradeOperator(ctx, chart, env.image) }, NodeTimeout(specTimeout))
		By("the operator is taken back")
		upgradeOperator(ctx, env.previousChart, env.previousImage)
		change(ctx, env.image)
		By("the operator is upgraded")
		upgradeOperator(ctx, chart, env.image)
		waitPods(ctx, server, 3, ofImage(env.image))
		waitReady(ctx, server)
		expectNothingFailed("daemons of this release under the previous operator")
	}, SpecTimeout(routingTimeout))
})

// upgradeOperator replaces the installed operator with another chart and image.
func upgradeOperator(ctx context.Context, chart, image string) {
	GinkgoHelper()
	at := strings.LastIndex(image, ":")
	Expect(at).To(BeNumerically(">", 0), "image %s: it needs a tag", image)
	// The commands of docs/troubleshooting.md may have written the CRD by kubectl.
	helm(ctx, "upgrade", release, chart, "--namespace", operatorNamespace, "--wait", "--timeout", "3m", "--force-conflicts",
		"--set", "image.repository="+image[:at], "--set", "image.tag="+image[at+1:])
}

// ofImage returns a function that reports whether a pod runs the image.
func ofImage(image string) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return pod.Spec.Containers[0].Image == image }
}
