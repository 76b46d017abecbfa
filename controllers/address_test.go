package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

var _ = Describe("the advertised address", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	advertised := func(ctx context.Context) string {
		GinkgoHelper()
		parsed, _ := c.config(ctx, "files")
		return parsed.Passive.AdvertisedAddress
	}

	It("is pending, arrives, changes and goes with the load balancer", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.loadBalancer(ctx, "files")
		c.settle(ctx, "files")
		pending := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(pending.Status).To(Equal(metav1.ConditionFalse))
		Expect(pending.Reason).To(Equal("LoadBalancerPending"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("InProgress"))
		Expect(c.server(ctx, "files").Status.Endpoint).To(BeEmpty())

		for _, ip := range []string{"203.0.113.20", "203.0.113.21"} {
			c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: ip})
			c.settle(ctx, "files")
			Expect(advertised(ctx)).To(Equal(ip))
			_, hash := c.config(ctx, "files")
			Expect(c.pod(ctx, "files-a").Annotations).To(HaveKeyWithValue(v1alpha1.ConfigHashAnnotation, hash))
			Expect(c.server(ctx, "files").Status.Endpoint).To(Equal("ftp://" + ip + ":21"))
			Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
		}
	})

	It("is not resolved before the pods advertise it", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.daemons.set(func(_ string, good *config.Status) (*config.Status, error) {
			good.AdvertisedIP = "203.0.113.10"
			return good, nil
		})
		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.20"})
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionAddressResolved).Reason).To(Equal("AddressNotYetServed"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionFalse))
	})

	It("may be a load balancer's host name", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{Hostname: "lb.example.com"})
		c.settle(ctx, "files")
		Expect(advertised(ctx)).To(Equal("lb.example.com"))
		Expect(c.server(ctx, "files").Status.AdvertisedAddressSource).To(Equal(v1alpha1.AddressFromLoadBalancerHostname))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))

		c.daemons.set(func(_ string, good *config.Status) (*config.Status, error) {
			good.AdvertisedIP, good.AddressError = "", "no such host"
			return good, nil
		})
		c.settle(ctx, "files")
		unresolved := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(unresolved.Reason).To(Equal("HostNameNotResolved"))
		Expect(unresolved.Message).To(ContainSubstring("no such host"))
	})

	It("may be declared", func(ctx context.Context) {
		c.serve(ctx, c.files(func(s *v1alpha1.FtpServer) { s.Spec.Passive.AdvertisedAddress = "198.51.100.1" }), "files-a")
		Expect(advertised(ctx)).To(Equal("198.51.100.1"))
		Expect(c.server(ctx, "files").Status.AdvertisedAddressSource).To(Equal(v1alpha1.AddressFromSpec))
	})

	It("is the cluster IP for type ClusterIP", func(ctx context.Context) {
		c.serve(ctx, c.files(serviceType(corev1.ServiceTypeClusterIP)), "files-a")
		Expect(advertised(ctx)).To(Equal(c.service(ctx, "files").Spec.ClusterIP))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})

	It("asks for spec.passive.advertisedAddress where nodes may not be read", func(ctx context.Context) {
		c.serve(ctx, c.files(serviceType(corev1.ServiceTypeNodePort)), "files-a")
		unknown := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(unknown.Reason).To(Equal("NodesNotReadable"))
		Expect(unknown.Message).To(ContainSubstring("set spec.passive.advertisedAddress"))
	})
})

var _ = Describe("storage", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	It("waits for a claim that is missing", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(replicas(1)))).To(Succeed())
		c.settle(ctx, "files")
		missing := c.condition(ctx, "files", v1alpha1.ConditionStorageReady)
		Expect(missing.Status).To(Equal(metav1.ConditionFalse))
		Expect(missing.Reason).To(Equal("ClaimMissing"))
		Expect(missing.Message).To(ContainSubstring("shared"))
		expectEvent(c, "ClaimMissing")

		c.sharedClaim(ctx)
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStorageReady).Status).To(Equal(metav1.ConditionTrue))
	})

	It("calls a claim that waits for its first consumer no error", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) {
			s.Spec.Storage = v1alpha1.StorageSpec{VolumeClaimTemplate: &v1alpha1.VolumeClaimTemplate{Spec: claimSpec(corev1.ReadWriteOnce)}}
		}))).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStorageReady).Status).To(Equal(metav1.ConditionUnknown))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(BeEquivalentTo("absent"))
		Expect(c.sent()).NotTo(ContainElement(ContainSubstring("Claim")))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("InProgress"))
	})
})
