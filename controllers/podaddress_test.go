package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

var _ = Describe("the address of a pod's own node", func() {
	const first, second = "198.51.100.1", "198.51.100.2"
	var (
		c      *cluster
		n1, n2 string
		byNode = serviceType(corev1.ServiceTypeNodePort) // and policy Local, the default for one replica
	)

	// node creates a node or changes its addresses.
	node := func(ctx context.Context, name string, addresses ...string) {
		GinkgoHelper()
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if admin.Get(ctx, client.ObjectKeyFromObject(n), n) != nil {
			Expect(admin.Create(ctx, n)).To(Succeed())
			DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, n)).To(Succeed()) })
		}
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		n.Status.Addresses = nil
		for _, ip := range addresses {
			n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeExternalIP, Address: ip})
		}
		Expect(admin.Status().Update(ctx, n)).To(Succeed())
	}
	told := func(ctx context.Context, pod string) string {
		GinkgoHelper()
		return c.pod(ctx, pod).Annotations[v1alpha1.AdvertisedAddressAnnotation]
	}
	configured := func(ctx context.Context) string {
		GinkgoHelper()
		parsed, _ := c.config(ctx, "files")
		return parsed.Passive.AdvertisedAddress
	}
	advertised := func(ctx context.Context) map[string]string {
		GinkgoHelper()
		by := map[string]string{}
		for _, p := range c.server(ctx, "files").Status.Pods {
			by[p.Name] = p.AdvertisedIP
		}
		return by
	}
	// serve brings a server to readiness with a pod on n1.
	serve := func(ctx context.Context, change ...func(*v1alpha1.FtpServer)) {
		GinkgoHelper()
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(append([]func(*v1alpha1.FtpServer){byNode}, change...)...))).To(Succeed())
		c.settle(ctx, "files")
		c.makePodOn(ctx, "files", "files-a", n1)
		c.run(ctx, "files", "files-a")
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	}

	BeforeEach(func(ctx context.Context) {
		c = newCluster(ctx)
		c.reconcile.AllowNodes()
		n1, n2 = c.namespace+"-n1", c.namespace+"-n2"
		node(ctx, n1, first)
		node(ctx, n2, second)
	})

	It("is told to each pod, the old one that drains and the new one at once", func(ctx context.Context) {
		serve(ctx)
		Expect(told(ctx, "files-a")).To(Equal(first))
		Expect(configured(ctx)).To(Equal(first))

		c.terminate(ctx, "files-a")
		c.makePodOn(ctx, "files", "files-b", n2)
		c.settle(ctx, "files")
		Expect(c.server(ctx, "files").Status.Endpoint).To(HavePrefix("ftp://"+first+":"), "while nobody takes sessions it stays")
		c.run(ctx, "files", "files-b")
		Expect(told(ctx, "files-a")).To(Equal(first))
		Expect(told(ctx, "files-b")).To(Equal(second))
		Expect(advertised(ctx)).To(Equal(map[string]string{"files-a": first, "files-b": second}))
		Expect(configured(ctx)).To(Equal(first), "for a pod of a daemon that knows no address of its own, whose sessions go on")

		By("the endpoint being the node that takes sessions")
		s := c.server(ctx, "files")
		Expect(s.Status.Endpoint).To(HavePrefix("ftp://" + second + ":"))
		Expect(s.Status.AdvertisedAddress).To(Equal(second))
		Expect(s.Status.AdvertisedAddressSource).To(Equal(v1alpha1.AddressFromNodeExternalIP))
		resolved := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(resolved.Status).To(Equal(metav1.ConditionTrue))
		Expect(resolved.Message).To(And(ContainSubstring(second), ContainSubstring("its own node")))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))

		By("nothing more to write")
		c.traffic.reset()
		_, err := c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.traffic.written()).To(BeEmpty())

		By("the end of the old pod")
		c.bury(ctx, "files-a")
		c.settle(ctx, "files")
		Expect(configured(ctx)).To(Equal(second))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})

	It("follows the node", func(ctx context.Context) {
		serve(ctx)
		node(ctx, n1, "198.51.100.9", first)
		c.settle(ctx, "files")
		Expect(told(ctx, "files-a")).To(Equal(first), "which it still has")
		node(ctx, n1, "198.51.100.9")
		c.settle(ctx, "files")
		Expect(told(ctx, "files-a")).To(Equal("198.51.100.9"))
		Expect(advertised(ctx)).To(HaveKeyWithValue("files-a", "198.51.100.9"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))

		By("to the end of its addresses")
		node(ctx, n1)
		c.settle(ctx, "files")
		Expect(told(ctx, "files-a")).To(Equal("198.51.100.9"))
		lost := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(lost.Status).To(Equal(metav1.ConditionFalse))
		Expect(lost.Reason).To(Equal("AddressLost"))
	})

	It("is told together with the ports, and so not before the pod is scheduled", func(ctx context.Context) {
		serve(ctx)
		c.terminate(ctx, "files-a")
		pod := c.makePodOn(ctx, "files", "files-b", "")
		c.settle(ctx, "files")
		Expect(c.pod(ctx, "files-b").Annotations).NotTo(HaveKey(v1alpha1.PassivePortsAnnotation))
		recorded := ""
		for _, p := range c.server(ctx, "files").Status.Pods {
			if p.Name == "files-b" {
				recorded = p.PassivePorts
			}
		}
		Expect(recorded).NotTo(BeEmpty(), "they are kept for it")

		Expect(admin.SubResource("binding").Create(ctx, pod, &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: n2}})).To(Succeed())
		_, err := c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.pod(ctx, "files-b").Annotations).To(And(
			HaveKeyWithValue(v1alpha1.PassivePortsAnnotation, recorded),
			HaveKeyWithValue(v1alpha1.AdvertisedAddressAnnotation, second)))
		expectDistinctPorts(ctx, c)
	})

	It("is told of a node that has none", func(ctx context.Context) {
		node(ctx, n2)
		serve(ctx)
		c.terminate(ctx, "files-a")
		c.makePodOn(ctx, "files", "files-b", n2)
		c.run(ctx, "files", "files-b")
		Expect(c.pod(ctx, "files-b").Annotations).NotTo(HaveKey(v1alpha1.AdvertisedAddressAnnotation))
		none := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(none.Status).To(Equal(metav1.ConditionFalse))
		Expect(none.Message).To(ContainSubstring("has no IP address"))
	})

	It("is put right when a hand changes it", func(ctx context.Context) {
		serve(ctx)
		for _, value := range []string{"nonsense", second, ""} {
			edit(ctx, c.pod(ctx, "files-a"), func(o *corev1.Pod) {
				o.Annotations[v1alpha1.AdvertisedAddressAnnotation] = value
			})
			c.settle(ctx, "files")
			Expect(told(ctx, "files-a")).To(Equal(first), "after %q", value)
		}
	})

	DescribeTable("is taken back where any node, or something else, leads to the pod",
		func(ctx context.Context, change func(*v1alpha1.FtpServer)) {
			serve(ctx)
			Expect(told(ctx, "files-a")).To(Equal(first))
			c.update(ctx, "files", change)
			c.settle(ctx, "files")
			Expect(c.pod(ctx, "files-a").Annotations).NotTo(HaveKey(v1alpha1.AdvertisedAddressAnnotation))
		},
		Entry("policy Cluster", func(s *v1alpha1.FtpServer) {
			s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
		}),
		Entry("type LoadBalancer", serviceType(corev1.ServiceTypeLoadBalancer)),
		Entry("type ClusterIP", serviceType(corev1.ServiceTypeClusterIP)),
		Entry("a declared address", func(s *v1alpha1.FtpServer) { s.Spec.Passive.AdvertisedAddress = "ftp.example.com" }),
	)

	It("is asked of a daemon that does not know it, which the status shows until the old pod is gone", func(ctx context.Context) {
		c.daemons.set(func(_ string, good *config.Status) (*config.Status, error) {
			if good != nil {
				good.AdvertisedIP = configured(ctx)
			}
			return good, nil
		})
		serve(ctx)
		c.terminate(ctx, "files-a")
		c.makePodOn(ctx, "files", "files-b", n2)
		c.run(ctx, "files", "files-b")
		wrong := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(wrong.Status).To(Equal(metav1.ConditionFalse))
		Expect(wrong.Reason).To(Equal("AddressNotYetServed"))
		Expect(wrong.Message).To(And(ContainSubstring("files-b"), ContainSubstring(first), ContainSubstring(second)))

		c.bury(ctx, "files-a")
		c.settle(ctx, "files")
		Expect(advertised(ctx)).To(Equal(map[string]string{"files-b": second}))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})
})
