package e2e

import (
	"context"
	"net"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

var _ = Describe("The NetworkPolicy", func() {
	// A port on which nothing listens is closed anyway. So a second pod, which the policy selects
	// like the daemon's, listens on ports within the range and beyond it.
	It("opens the passive range and nothing beyond it", func(ctx SpecContext) {
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30009}
		})
		waitReady(ctx, server)
		beyond := []int{29999, 30010, 8021}
		decoy := relayPod("decoy", "serve", "2121", "29999", "30000", "30009", "30010", "8021")
		decoy.Namespace = server.Namespace
		decoy.Labels = map[string]string{v1alpha1.ServerLabel: server.Name}
		Expect(k8s.Create(ctx, decoy)).To(Succeed())
		waitPodReady(ctx, decoy)

		for _, port := range []int{2121, 30000, 30009} {
			expectReachable(ctx, decoy.Status.PodIP, port, true)
		}
		for _, port := range beyond {
			expectReachable(ctx, decoy.Status.PodIP, port, false)
		}
		By("while it leads no traffic to a pod that is not the server's own, whatever its labels")
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		Expect(server.Status.Pods).To(HaveLen(1))
		Expect(server.Status.Pods[0].Name).NotTo(Equal(decoy.Name))

		By("to networks that are allowed, and to no others")
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			s.Spec.NetworkPolicy.AllowedNetworks = []v1alpha1.Network{"192.0.2.0/24"}
		})
		for _, port := range []int{2121, 30000, 30009} {
			expectReachable(ctx, decoy.Status.PodIP, port, false)
		}
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			s.Spec.NetworkPolicy.AllowedNetworks = append(s.Spec.NetworkPolicy.AllowedNetworks, "0.0.0.0/0")
		})
		for _, port := range []int{2121, 30000, 30009} {
			expectReachable(ctx, decoy.Status.PodIP, port, true)
		}

		By("and without the policy they are open: it was the policy")
		no := false
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.NetworkPolicy.Enabled = &no })
		for _, port := range beyond {
			expectReachable(ctx, decoy.Status.PodIP, port, true)
		}
	}, SpecTimeout(specTimeout))
})

// expectReachable dials from a pod, until it is as expected: policies take a moment.
func expectReachable(ctx context.Context, host string, port int, reachable bool) {
	GinkgoHelper()
	address := net.JoinHostPort(host, strconv.Itoa(port))
	dial := func(ctx context.Context) error {
		conn, err := inPod.Dial(ctx, address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	if reachable {
		Eventually(ctx, dial).Should(Succeed(), "%s is open", address)
	} else {
		Eventually(ctx, dial).ShouldNot(Succeed(), "%s is closed", address)
	}
}
