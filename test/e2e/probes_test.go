package e2e

import (
	"context"
	"net"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/load"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// These Azure annotations are supported by the lab's router, too: with them it acts as a load balancer that probes
// each port of the Service, every five seconds or at the given interval, and forwards a port only to pods for which
// two probes have succeeded.
const (
	azureAnnotation    = "service.beta.kubernetes.io/azure-load-balancer-internal"
	azureProbeInterval = "service.beta.kubernetes.io/azure-load-balancer-health-probe-interval"
)

var _ = Describe("Behind a load balancer that probes each port", Ordered, ContinueOnFailure, func() {
	var server *v1alpha1.FtpServer

	BeforeAll(func(ctx SpecContext) {
		needSeveralNodes(ctx)
		if len(env.node) == 0 {
			Skip("NOT TESTED: a load balancer that probes each port: this cluster's is not hack/lab's")
		}
		server = newServer(ctx, func(s *v1alpha1.FtpServer) {
			two, grace := int32(2), int64(120)
			s.Spec.Replicas = &two
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
			s.Spec.Service.Annotations = map[string]string{azureAnnotation: "false"}
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30047}
			s.Spec.Template.TerminationGracePeriodSeconds = &grace
			s.Spec.Storage = manyPodsStorage()
		})
		waitReady(ctx, server)
		// The first pods are published at once: there are no others to take the sessions.
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(tryTransfer(ctx, ftpclient.Host{}, server)).To(Succeed())
			for _, pod := range pods(ctx, server) {
				for _, port := range podPorts(pod) {
					conn, err := ftpclient.Host{}.Dial(ctx, net.JoinHostPort(server.Status.AdvertisedAddress, strconv.Itoa(int(port))))
					g.Expect(err).NotTo(HaveOccurred())
					g.Expect(conn.Close()).To(Succeed())
				}
			}
		}).Should(Succeed(), "the probes have found all ports of the first pods")
	}, NodeTimeout(specTimeout))

	start := func(ctx context.Context, dir string) *load.Load {
		GinkgoHelper()
		running := load.Start(ctx, load.Config{
			Network: ftpclient.Host{}, Address: controlAddress(server), User: user, Password: password,
			Dir: dir, Clients: 10, PerSession: 4, MaxSize: 64 << 10,
			Pause: 100 * time.Millisecond, RetryAfter: 500 * time.Millisecond, Seed: uint64(GinkgoRandomSeed()),
		})
		Eventually(ctx, running.Tried).Should(BeNumerically(">", 10))
		return running
	}

	It("no transfer is lost while it scales and rolls", func(ctx SpecContext) {
		running := start(ctx, "probed-")
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			three := int32(3)
			s.Spec.Replicas = &three
			s.Spec.Template.Metadata.Annotations = map[string]string{generationAnnotation: "probed"}
		})
		waitPods(ctx, server, 3, func(pod *corev1.Pod) bool { return pod.Annotations[generationAnnotation] == "probed" })
		waitReady(ctx, server)
		report := running.Stop()
		sum := tell("behind probes of each port", report)
		Expect(sum.Outcomes).To(Equal(map[load.Outcome]int{load.Completed: sum.Transfers}), report.Failures(20))
		Expect(sum.RefusedAgain).To(BeZero(), report.Failures(20))
	}, SpecTimeout(routingTimeout))

	// This shows the purpose of the warm-up time, and that this load balancer would make the test before fail without
	// it.
	It("transfers are lost if the control port of a new pod is published before its passive ports have passed", func(ctx SpecContext) {
		four := int32(4)
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			s.Spec.Replicas = &four
			s.Spec.Passive.WarmUp = "2s"
			s.Spec.Service.Annotations[azureProbeInterval] = "300" // so that no probe passes before the test ends
		})
		waitPods(ctx, server, 4, nil)
		running := start(ctx, "lost-")
		Eventually(ctx, running.Tried).Should(BeNumerically(">", 200))
		report := running.Stop()
		sum := tell("with a warm-up that is shorter than the probes take", report)
		Expect(sum.Outcomes[load.Misrouted]).NotTo(BeZero())
	}, SpecTimeout(routingTimeout))
})
