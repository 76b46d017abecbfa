package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

var _ = Describe("a cluster without a free node port", Serial, func() {
	It("is a problem with a hint and no error, and is over when ports come free", func(ctx context.Context) {
		c := newCluster(ctx)
		var fillers []*corev1.Service
		for ports := 1000; ports > 0; {
			s := &corev1.Service{ObjectMeta: c.meta(fmt.Sprintf("filler-%d", len(fillers))), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort}}
			for i := range ports {
				s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprintf("p%d", i), Port: int32(1000 + i)}) //nolint:gosec // a port
			}
			if err := admin.Create(ctx, s); err != nil {
				Expect(err).To(MatchError(ContainSubstring("range is full")))
				ports /= 2
				continue
			}
			fillers = append(fillers, s)
		}
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files())).To(Succeed())
		Expect(c.settle(ctx, "files")).To(BeNumerically(">=", 30e9), "no hot loop")
		stalled := c.condition(ctx, "files", v1alpha1.ConditionStalled)
		Expect(stalled.Status).To(Equal(metav1.ConditionTrue))
		Expect(stalled.Message).To(And(ContainSubstring("Service"), ContainSubstring("no free node port left"), ContainSubstring("delete Services")))

		for _, s := range fillers {
			Expect(admin.Delete(ctx, s)).To(Succeed())
		}
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(11))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(BeEquivalentTo("absent"))
	})
})
