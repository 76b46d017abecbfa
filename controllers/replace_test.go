package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// The range shrinks to ports that its old holder has: the new pod of the rolling update waits for ports, and the old
// pod stays until the new one is ready.
var _ = Describe("a rolling update that passive ports would deadlock", func() {
	It("goes on, as the old pod is replaced", func(ctx context.Context) {
		c := newCluster(ctx)
		c.serve(ctx, c.files(), "files-a")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30040, End: 30041}
		})
		c.settle(ctx, "files")
		Expect(c.pod(ctx, "files-a").DeletionTimestamp).To(BeNil(), "deleted though no pod waits")

		c.makePod(ctx, "files", "files-b")
		c.settle(ctx, "files")
		Expect(c.pod(ctx, "files-a").DeletionTimestamp).NotTo(BeNil())
		Expect(c.pod(ctx, "files-b").Annotations).NotTo(HaveKey(v1alpha1.PassivePortsAnnotation))
		Eventually(c.events.Events).Should(Receive(ContainSubstring("pod files-a is replaced")))

		c.bury(ctx, "files-a")
		c.run(ctx, "files", "files-b")
		Expect(c.pod(ctx, "files-b").Annotations[v1alpha1.PassivePortsAnnotation]).To(Equal("30040"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
	})
})
