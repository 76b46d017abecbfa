package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
)

var _ = Describe("the time for which a new pod's passive ports are published before its control port", func() {
	DescribeTable("is what the load balancer's checks take, or what the spec says",
		func(ctx context.Context, annotations map[string]string, warmUp v1alpha1.Duration, want time.Duration) {
			c := newCluster(ctx)
			c.serve(ctx, c.files(replicas(2), func(s *v1alpha1.FtpServer) {
				s.Spec.Service.Annotations, s.Spec.Passive.WarmUp = annotations, warmUp
			}), "files-a")
			c.makePod(ctx, "files", "files-b")
			c.settle(ctx, "files")
			c.startPod(ctx, "files-b")
			began := c.clock.Now()
			if want > 0 {
				_, err := c.pass(ctx, "files")
				Expect(err).NotTo(HaveOccurred())
				Expect(c.warmingUp(ctx)).To(Equal([]string{"files-b"}))
				c.clock.SetTime(began.Add(want - time.Second/10))
				_, err = c.pass(ctx, "files")
				Expect(err).NotTo(HaveOccurred())
				Expect(c.warmingUp(ctx)).To(Equal([]string{"files-b"}), "a moment before the end")
				Expect(podConditionTrue(c.pod(ctx, "files-b"), v1alpha1.RoutedConditionType)).To(BeFalse())
			}
			c.settle(ctx, "files")
			Expect(c.clock.Now().Sub(began)).To(Equal(want))
			Expect(c.warmingUp(ctx)).To(BeEmpty())
			Expect(podConditionTrue(c.pod(ctx, "files-b"), v1alpha1.RoutedConditionType)).To(BeTrue())
		},
		Entry("2s for the nodes", nil, v1alpha1.Duration(""), 2*time.Second),
		Entry("15s on Azure", map[string]string{"service.beta.kubernetes.io/azure-load-balancer-internal": "false"}, v1alpha1.Duration(""), 15*time.Second),
		Entry("40s on Azure, if the spec says so", map[string]string{"service.beta.kubernetes.io/azure-load-balancer-internal": "false"}, v1alpha1.Duration("40s"), 40*time.Second),
		Entry("10s, if the spec says so", nil, v1alpha1.Duration("10s"), 10*time.Second),
		Entry("none, if the spec says so", nil, v1alpha1.Duration("0s"), time.Duration(0)),
	)

	It("is what the load balancer's checks take, too, while a pass waits for hashes", func(ctx context.Context) {
		c := newCluster(ctx)
		c.serve(ctx, c.files(replicas(2), func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Annotations = map[string]string{"service.beta.kubernetes.io/azure-load-balancer-internal": "false"}
		}), "files-a")
		live := c.client(c.traffic)
		options := c.options(likeCache(live), live)
		options.HashPatience = time.Millisecond
		c.reconcile = controllers.New(options)
		goOn := make(chan struct{})
		DeferCleanup(func() { close(goOn) })
		c.reconcile.Hashed(goOn)
		c.password(ctx, "alice", "changed")
		pass := func() {
			GinkgoHelper()
			_, err := c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
		}
		c.makePod(ctx, "files", "files-b")
		pass()
		c.startPod(ctx, "files-b")
		pass()
		c.clock.SetTime(c.clock.Now().Add(14 * time.Second))
		pass()
		Expect(c.warmingUp(ctx)).To(Equal([]string{"files-b"}))
		Expect(podConditionTrue(c.pod(ctx, "files-b"), v1alpha1.RoutedConditionType)).To(BeFalse())
		c.clock.SetTime(c.clock.Now().Add(time.Second))
		pass()
		Expect(c.warmingUp(ctx)).To(BeEmpty())
		Expect(podConditionTrue(c.pod(ctx, "files-b"), v1alpha1.RoutedConditionType)).To(BeTrue())
	})
})
