package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// coOwn makes another manager own all fields of an object that ours owns, as the restore of a backup does.
func coOwn(ctx context.Context, object client.Object, manager string) {
	GinkgoHelper()
	Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
	entries := object.GetManagedFields()
	for _, e := range entries {
		if e.Manager == v1alpha1.FieldManager {
			theirs := *e.DeepCopy()
			theirs.Manager, theirs.Operation = manager, metav1.ManagedFieldsOperationUpdate
			entries = append(entries, theirs)
		}
	}
	object.SetManagedFields(entries)
	Expect(admin.Update(ctx, object, client.FieldOwner(manager))).To(Succeed())
	owns := false
	for _, e := range object.GetManagedFields() {
		owns = owns || e.Manager == manager
	}
	Expect(owns).To(BeTrue(), "the other manager owns nothing, so nothing is tested")
}

var _ = Describe("what another manager has come to own", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	everything := func(s *v1alpha1.FtpServer) {
		s.Spec.Service.Annotations = map[string]string{"example.com/stays": "x", "example.com/goes": "x"}
		s.Spec.Service.Labels = map[string]string{"example.com/stays": "x", "example.com/goes": "x"}
		s.Spec.Service.LoadBalancerSourceRanges = []string{"192.0.2.0/24", "198.51.100.0/24"}
	}

	It("goes when the spec drops it", func(ctx context.Context) {
		c.serve(ctx, c.files(everything), "files-a")
		for _, manager := range []string{"velero-server", "kubectl-client-side-apply"} {
			coOwn(ctx, c.service(ctx, "files"), manager)
		}
		edit(ctx, c.service(ctx, "files"), func(s *corev1.Service) {
			s.Annotations["example.com/theirs"], s.Labels["example.com/theirs"] = "x", "x"
		})
		coOwn(ctx, get(ctx, c, "files", &networkingv1.NetworkPolicy{}), "velero-server")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Passive.PortRange.End = 30045
			delete(s.Spec.Service.Annotations, "example.com/goes")
			delete(s.Spec.Service.Labels, "example.com/goes")
			s.Spec.Service.LoadBalancerSourceRanges = nil
		})
		c.settle(ctx, "files")

		service := c.service(ctx, "files")
		exposed := c.condition(ctx, "files", v1alpha1.ConditionPassivePortsExposed)
		Expect(service.Spec.Ports).To(HaveLen(7), exposed.Message)
		Expect(service.Spec.LoadBalancerSourceRanges).To(BeEmpty())
		for _, has := range []map[string]string{service.Annotations, service.Labels} {
			Expect(has).To(HaveKey("example.com/stays"))
			Expect(has).To(HaveKey("example.com/theirs"), "what only others own is theirs")
			Expect(has).NotTo(HaveKey("example.com/goes"))
		}
		Expect(exposed.Status).To(Equal(metav1.ConditionTrue))
		// The policy covers the ports that the pod holds, including those outside the range.
		Expect(get(ctx, c, "files", &networkingv1.NetworkPolicy{}).Spec.Ingress[0].Ports).NotTo(BeEmpty())
	})

	It("of the Service's ports goes at once, since all are ours", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		edit(ctx, c.service(ctx, "files"), func(s *corev1.Service) {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{
				Name: "p31000", Protocol: corev1.ProtocolTCP, Port: 31000, TargetPort: intstr.FromInt32(31000),
			})
		})
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(11))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionPassivePortsExposed).Status).To(Equal(metav1.ConditionTrue))
	})

	It("of the status goes, but for the conditions of others", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		s := c.server(ctx, "files")
		s.Status.Conditions = append(s.Status.Conditions,
			metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: "FromABackup", LastTransitionTime: metav1.Now()},
			metav1.Condition{Type: "example.com/Theirs", Status: metav1.ConditionTrue, Reason: "Theirs", LastTransitionTime: metav1.Now()})
		s.Status.Pods = append(s.Status.Pods, v1alpha1.PodStatus{Name: "files-of-last-year", PassivePorts: "30040-30042"})
		s.Status.ScaledBy = "somebody"
		Expect(admin.Status().Update(ctx, s, client.FieldOwner("velero-server"))).To(Succeed())
		c.settle(ctx, "files")

		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(BeEquivalentTo("absent"))
		Expect(c.condition(ctx, "files", "example.com/Theirs").Status).To(Equal(metav1.ConditionTrue))
		s = c.server(ctx, "files")
		Expect(s.Status.Pods).To(HaveLen(1))
		Expect(s.Status.ScaledBy).To(BeEmpty())
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})
})
