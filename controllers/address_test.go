package controllers_test

import (
	"context"
	"time"

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

	It("is pending, arrives and changes with the load balancer", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files())).To(Succeed())
		c.settle(ctx, "files")
		pending := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(pending.Status).To(Equal(metav1.ConditionFalse))
		Expect(pending.Reason).To(Equal("LoadBalancerPending"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("InProgress"))
		Expect(c.server(ctx, "files").Status.Endpoint).To(BeEmpty())
		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.10"})
		c.makePod(ctx, "files", "files-a")
		c.run(ctx, "files", "files-a")

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

	It("serves on when the load balancer takes it back, over a new operator too, until there is another", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		_, before := c.config(ctx, "files")
		c.sent()
		for _, operator := range []string{"the same", "a new"} {
			By(operator + " operator")
			c.loadBalancer(ctx, "files")
			c.settle(ctx, "files")
			Expect(advertised(ctx)).To(Equal("203.0.113.10"))
			_, hash := c.config(ctx, "files")
			Expect(hash).To(Equal(before), "nothing for the pods to take over")
			lost := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
			Expect(lost.Status).To(Equal(metav1.ConditionFalse))
			Expect(lost.Reason).To(Equal("AddressLost"))
			Expect(lost.Message).To(ContainSubstring("203.0.113.10, the last one known, is advertised on"))
			Expect(kstatusOf(ctx, c, "files")).To(Equal("InProgress"))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionAvailable).Status).To(Equal(metav1.ConditionTrue))
			c.reconcile = c.reconciler(c.traffic)
		}
		expectEvent(c, "Warning AddressLost")

		Expect(admin.Delete(ctx, c.service(ctx, "files"))).To(Succeed())
		c.settle(ctx, "files")
		Expect(advertised(ctx)).To(Equal("203.0.113.10"), "while the Service is made anew")

		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.11"})
		c.settle(ctx, "files")
		Expect(advertised(ctx)).To(Equal("203.0.113.11"))
		Expect(c.server(ctx, "files").Status.Pods[0].AdvertisedIP).To(Equal("203.0.113.11"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
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
			good.AddressError = "server misbehaving"
			return good, nil
		})
		Expect(c.settle(ctx, "files")).To(BeNumerically("<=", 15*time.Second), "it should look again before long")
		stale := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(stale.Status).To(Equal(metav1.ConditionFalse))
		Expect(stale.Reason).To(Equal("HostNameNotRefreshed"))
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

	It("is the cluster IP for those of the clients that an override names", func(ctx context.Context) {
		c.serve(ctx, c.files(func(s *v1alpha1.FtpServer) {
			s.Spec.Passive.Overrides = []v1alpha1.AddressOverride{
				{Clients: []v1alpha1.Network{"10.1.0.0/16"}, AddressFrom: v1alpha1.OverrideFromClusterIP},
				{Clients: []v1alpha1.Network{"10.0.0.0/8"}, Address: "ftp.internal"},
			}
		}), "files-a")
		named := func() []string {
			parsed, _ := c.config(ctx, "files")
			var all []string
			for _, o := range parsed.Passive.Overrides {
				all = append(all, o.Address)
			}
			return all
		}
		Expect(named()).To(Equal([]string{c.service(ctx, "files").Spec.ClusterIP, "ftp.internal"}))
		Expect(advertised(ctx)).To(Equal("203.0.113.10"))

		Expect(admin.Delete(ctx, c.service(ctx, "files"))).To(Succeed())
		c.settle(ctx, "files")
		Expect(named()).To(Equal([]string{c.service(ctx, "files").Spec.ClusterIP, "ftp.internal"}))
	})

	It("asks for spec.passive.advertisedAddress where nodes may not be read", func(ctx context.Context) {
		c.serve(ctx, c.files(serviceType(corev1.ServiceTypeNodePort)), "files-a")
		unknown := c.condition(ctx, "files", v1alpha1.ConditionAddressResolved)
		Expect(unknown.Reason).To(Equal("NodesNotReadable"))
		Expect(unknown.Message).To(ContainSubstring("set spec.passive.advertisedAddress"))
	})
})

var _ = Describe("whose a data connection is", func() {
	It("is told as the pods say, and why", func(ctx context.Context) {
		c := newCluster(ctx)
		c.serve(ctx, c.files(), "files-a")
		s := c.server(ctx, "files").Status
		Expect(s.DataPeerCheck).To(Equal(v1alpha1.DataPeerStrict))
		Expect(s.DataPeerCheckReason).To(Equal("clients are seen with their own addresses (externalTrafficPolicy Local)"))

		c.daemons.set(func(_ string, good *config.Status) (*config.Status, error) {
			good.DataPeer = config.DataPeerStrict
			return good, nil
		})
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
		})
		c.settle(ctx, "files")
		s = c.server(ctx, "files").Status
		Expect(s.DataPeerCheck).To(Equal(v1alpha1.DataPeerStrict))
		Expect(s.DataPeerCheckReason).To(Equal("pod files-a has not taken over yet that it is to be Relaxed"))

		c.daemons.set(nil)
		c.settle(ctx, "files")
		s = c.server(ctx, "files").Status
		Expect(s.DataPeerCheck).To(Equal(v1alpha1.DataPeerRelaxed))
		Expect(s.DataPeerCheckReason).To(ContainSubstring("service.proxyProtocol"))
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
		expectEventAfterGrace(ctx, c, "Warning ClaimMissing")

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
