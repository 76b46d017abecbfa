package e2e

import (
	"context"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("Through node ports under policy Local", func() {
	It("old and new pod each serve at their own node while a drain moves the pod", func(ctx SpecContext) {
		if !env.loadBalancers.IsValid() {
			// From a pod, kube-proxy forwards to any pod, whatever the policy.
			Skip("NOT TESTED: node ports under policy Local: this machine reaches no node (E2E_LB_CIDR)")
		}
		if len(nodeNames(ctx)) < 2 {
			Skip("NOT TESTED: a pod that moves: this cluster has only one node; make e2e NODES=2")
		}
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Type = corev1.ServiceTypeNodePort
			s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30070, End: 30079}
			// The old pod stays until its session has ended, which this test decides.
			grace := int64(600)
			s.Spec.Template.TerminationGracePeriodSeconds = &grace
		})
		waitReady(ctx, server)
		old := onePod(ctx, server)
		oldAddress := server.Status.AdvertisedAddress
		Expect(oldAddress).To(Equal(nodeAddress(ctx, old.Spec.NodeName)))
		session := login(ctx, ftpclient.Host{}, server)
		expectPASV(session, oldAddress, server.Spec.Passive.PortRange)
		upload, err := session.BeginStore(ctx, ftpclient.PASV, "long.bin")
		Expect(err).NotTo(HaveOccurred())
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())

		By("draining node " + old.Spec.NodeName)
		DeferCleanup(func(ctx SpecContext) { kubectl(ctx, "uncordon", old.Spec.NodeName) }, NodeTimeout(time.Minute))
		kubectl(ctx, "cordon", old.Spec.NodeName)
		// Evict the pod; kubectl drain would wait here until the old pod is gone.
		Expect(clientset.PolicyV1().Evictions(old.Namespace).Evict(ctx, &policyv1.Eviction{
			ObjectMeta: metav1.ObjectMeta{Namespace: old.Namespace, Name: old.Name},
		})).To(Succeed())
		waitReady(ctx, server)
		var moved corev1.Pod
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			all := pods(ctx, server)
			g.Expect(all).To(HaveLen(2), "the old pod lingers with its session")
			for _, pod := range all {
				if pod.UID != old.UID {
					moved = pod
				}
			}
			g.Expect(podIsReady(&moved)).To(BeTrue())
		}).Should(Succeed())
		Expect(moved.Spec.NodeName).NotTo(Equal(old.Spec.NodeName))
		newAddress := nodeAddress(ctx, moved.Spec.NodeName)

		By("new sessions, at the new node, being told the new node")
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(server.Status.AdvertisedAddress).To(Equal(newAddress))
			g.Expect(condition(server, v1alpha1.ConditionAddressResolved)).To(HaveValue(HaveField("Status", metav1.ConditionTrue)))
		}).Should(Succeed())
		host, _, err := net.SplitHostPort(controlAddress(server))
		Expect(err).NotTo(HaveOccurred())
		Expect(host).To(Equal(newAddress), "the endpoint")
		fresh := login(ctx, ftpclient.Host{}, server)
		expectPASV(fresh, newAddress, server.Spec.Passive.PortRange)
		expectTransfer(ctx, fresh, ftpclient.PASV)
		expectTransfer(ctx, fresh, ftpclient.EPSV)

		By("the old session going on at the old node, its running transfer and others")
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		Expect(upload.Finish()).To(Succeed())
		expectPASV(session, oldAddress, server.Spec.Passive.PortRange)
		expectTransfer(ctx, session, ftpclient.PASV)
		expectTransfer(ctx, session, ftpclient.EPSV)
		Expect(pods(ctx, server)).To(ContainElement(HaveField("ObjectMeta.UID", old.UID)), "the old pod was there all the time")
		advertised := map[string]string{}
		for _, pod := range server.Status.Pods {
			advertised[pod.Name] = pod.AdvertisedIP
		}
		Expect(advertised).To(Equal(map[string]string{old.Name: oldAddress, moved.Name: newAddress}))
		Expect(session.Quit()).To(Succeed())
		Expect(fresh.Quit()).To(Succeed())
	}, SpecTimeout(specTimeout))
})

// nodeAddress returns the address that the operator chooses for a node: an external one, or else an internal one.
func nodeAddress(ctx context.Context, node string) string {
	GinkgoHelper()
	n := &corev1.Node{}
	Expect(k8s.Get(ctx, client.ObjectKey{Name: node}, n)).To(Succeed())
	for _, kind := range []corev1.NodeAddressType{corev1.NodeExternalIP, corev1.NodeInternalIP} {
		for _, a := range n.Status.Addresses {
			if a.Type == kind {
				return a.Address
			}
		}
	}
	Fail("node " + node + " has no IP address")
	return ""
}
