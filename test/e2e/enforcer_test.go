package e2e

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("The local cluster", func() {
	// A change of a node's nftables hooks has the kernel drop the packets that wait for the enforcer's decision. Where the
	// enforcer tried such a change each second, a SYN could be dropped as often as it was sent.
	It("loses no packet that waits for the decision of its NetworkPolicy enforcer", func(ctx SpecContext) {
		needMachines()
		if !env.loadBalancers.IsValid() {
			Skip("NOT TESTED: packets that wait for a NetworkPolicy enforcer: this machine reaches no load balancer address (E2E_LB_CIDR)")
		}
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
		})
		waitReady(ctx, server)
		host, _, err := net.SplitHostPort(controlAddress(server))
		Expect(err).NotTo(HaveOccurred())
		ports := podPorts(onePod(ctx, server))

		before := lostDecisions(ctx)
		var dialers sync.WaitGroup
		for range 16 {
			dialers.Go(func() {
				defer GinkgoRecover()
				for i := range 1250 {
					// No session waits at the port, so the daemon closes the connection.
					conn, err := ftpclient.Host{}.Dial(ctx, net.JoinHostPort(host, strconv.Itoa(int(ports[i%len(ports)]))))
					Expect(err).NotTo(HaveOccurred())
					_ = conn.Close()
				}
			})
		}
		dialers.Wait()
		Expect(lostDecisions(ctx)).To(Equal(before))
	}, SpecTimeout(specTimeout))
})

// lostDecisions returns, for each node, how often its enforcer has decided on a packet that was no longer there.
func lostDecisions(ctx context.Context) map[string]string {
	GinkgoHelper()
	lost := map[string]string{}
	for _, node := range nodeNames(ctx) {
		lost[node] = strings.TrimSpace(onNode(ctx, "exec", node, "sh", "-c", "grep -c 'Could not receive message' /run/lab/log/networkpolicy-"+node+".log || true"))
	}
	return lost
}
