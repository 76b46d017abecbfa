package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
)

// operator returns another operator with a different image and class.
func (c *cluster) operator(image, class string) *controllers.Reconciler {
	GinkgoHelper()
	live := c.client(&traffic{namespace: c.namespace})
	options := c.options(likeCache(live), live)
	options.Image, options.Class = image, class
	return controllers.New(options)
}

var _ = Describe("two operators", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	// flips lets the operators reconcile in turn, and returns how often the pod template changes.
	flips := func(ctx context.Context, rounds int, operators ...*controllers.Reconciler) int {
		GinkgoHelper()
		changes, last := 0, c.deployment(ctx, "files").Spec.Template.Spec.Containers[0].Image
		for range rounds {
			for _, r := range operators {
				// A pass during which the other operator wrote is repeated.
				Eventually(func() error { _, err := r.Reconcile(ctx, requestFor(c, "files")); return err }, soon).Should(Succeed())
				if now := c.deployment(ctx, "files").Spec.Template.Spec.Containers[0].Image; now != last {
					changes, last = changes+1, now
				}
			}
		}
		return changes
	}

	It("of one class do not roll the pods in turn, say so, and recover when the servers get classes", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		other := c.operator("localhost/ftp-operator:other", "")
		Expect(flips(ctx, 6, other, c.reconcile)).To(BeNumerically("<=", 2))
		stalled := c.condition(ctx, "files", v1alpha1.ConditionStalled)
		Eventually(func() string {
			_, err := c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
			stalled = c.condition(ctx, "files", v1alpha1.ConditionStalled)
			return stalled.Reason
		}).Should(Equal("ChildContested"))
		Expect(stalled.Message).To(And(ContainSubstring("Deployment"), ContainSubstring("another ftp-operator"),
			ContainSubstring(v1alpha1.FieldManager), ContainSubstring("spec.className")))
		// Simulate an hour with one pass a minute.
		changes := 0
		for range 60 {
			c.clock.SetTime(c.clock.Now().Add(time.Minute))
			changes += flips(ctx, 1, other, c.reconcile)
		}
		Expect(changes).To(BeNumerically("<", 16), "the pauses double")

		// Apply the remedy that the message names.
		withClass := c.operator("localhost/ftp-operator:other", "beta")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.ClassName = "beta" })
		flips(ctx, 2, withClass, c.reconcile, other)
		c.rolledOut(ctx, "files", 1)
		Expect(flips(ctx, 3, withClass, c.reconcile, other)).To(BeZero())
		Expect(c.deployment(ctx, "files").Spec.Template.Spec.Containers[0].Image).To(Equal("localhost/ftp-operator:other"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(BeEquivalentTo("absent"))
	})

	It("of different classes leave each other's servers alone", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.traffic.reset()
		_, err := c.operator("localhost/ftp-operator:other", "beta").Reconcile(ctx, requestFor(c, "files"))
		Expect(err).NotTo(HaveOccurred())
		Expect(c.deployment(ctx, "files").Spec.Template.Spec.Containers[0].Image).To(Equal(image))

		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.ClassName, s.Spec.Service.Port = "beta", 2100 })
		Expect(c.settle(ctx, "files")).To(BeZero(), "the operator without a class has nothing to do with it")
		Expect(c.service(ctx, "files").Spec.Ports[0].Port).To(Equal(int32(21)))
	})
})

var _ = Describe("another writer", func() {
	It("that changes back what the operator wrote is not fought, and is told of by its name", func(ctx context.Context) {
		c := newCluster(ctx)
		c.serve(ctx, c.files(), "files-a")
		const theirs = 9
		fight := func() (writes int) {
			GinkgoHelper()
			edit(ctx, c.service(ctx, "files"), func(s *corev1.Service) { s.Spec.Ports[0].TargetPort.IntVal = theirs })
			before := c.service(ctx, "files").ResourceVersion
			_, err := c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
			if c.service(ctx, "files").ResourceVersion != before {
				return 1
			}
			return 0
		}
		Expect(fight()).To(Equal(1), "a first edit is taken back at once")
		writes := 0
		for range 20 {
			writes += fight()
		}
		Expect(writes).To(BeNumerically("<", 6))
		stalled := c.condition(ctx, "files", v1alpha1.ConditionStalled)
		Expect(stalled.Reason).To(Equal("ChildContested"))
		Expect(stalled.Message).To(And(ContainSubstring("Service"), ContainSubstring("a-hand")))
		expectEvent(c, "ChildContested")

		// The operator goes on writing once a minute, and not faster.
		writes = 0
		for range 20 {
			c.clock.SetTime(c.clock.Now().Add(15 * time.Second))
			writes += fight()
		}
		Expect(writes).To(BeNumerically("~", 5, 1))

		// The other writer stops.
		c.clock.SetTime(c.clock.Now().Add(time.Minute))
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.Ports[0].TargetPort.IntVal).NotTo(Equal(int32(theirs)))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
	})

	It("that writes once is taken back at once, again and again as the spec changes", func(ctx context.Context) {
		c := newCluster(ctx)
		c.serve(ctx, c.files(), "files-a")
		for port := int32(2100); port < 2110; port++ {
			edit(ctx, client.Object(c.deployment(ctx, "files")), func(o client.Object) {
				o.(*appsv1.Deployment).Spec.Template.Spec.Containers[0].Image = "evil" //nolint:forcetypeassert // made as one
			})
			c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Service.Port = port })
			c.clock.SetTime(c.clock.Now().Add(5 * time.Minute))
			c.settle(ctx, "files")
			Expect(c.deployment(ctx, "files").Spec.Template.Spec.Containers[0].Image).To(Equal(image))
		}
	})
})
