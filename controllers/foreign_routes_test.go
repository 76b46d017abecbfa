package controllers_test

import (
	"context"
	"maps"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

var _ = Describe("what else routes to the Service", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	// foreignSlice creates a slice as another client would.
	foreignSlice := func(ctx context.Context, name, manager string, labels map[string]string) *discoveryv1.EndpointSlice {
		GinkgoHelper()
		s := &discoveryv1.EndpointSlice{
			ObjectMeta: c.meta(name), AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}}},
			Ports:     []discoveryv1.EndpointPort{{Name: new("p30040"), Port: new(int32(30040))}, {Name: new("ftp"), Port: new(int32(2121))}},
		}
		s.Labels = map[string]string{discoveryv1.LabelServiceName: "files"}
		maps.Copy(s.Labels, labels)
		if manager != "" {
			s.Labels[discoveryv1.LabelManagedBy] = manager
		}
		Expect(admin.Create(ctx, s)).To(Succeed())
		return s
	}
	endpoints := func(ctx context.Context) *metav1.PartialObjectMetadata {
		GinkgoHelper()
		e := &corev1.Endpoints{ObjectMeta: c.meta("files")} //nolint:staticcheck // what the cluster's controllers still make
		Expect(admin.Create(ctx, e)).To(Succeed())
		m := &metav1.PartialObjectMetadata{ObjectMeta: c.meta("files")}
		m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Endpoints"))
		return m
	}
	gone := func(ctx context.Context, object client.Object) bool {
		return apierrors.IsNotFound(admin.Get(ctx, client.ObjectKeyFromObject(object), object))
	}
	putSelector := func(ctx context.Context) map[string]string {
		GinkgoHelper()
		service := c.service(ctx, "files")
		edit(ctx, service, func(s *corev1.Service) { s.Spec.Selector = map[string]string{v1alpha1.ServerLabel: "files"} })
		return service.Labels
	}

	It("goes if the cluster made it of a selector that a hand put there", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		labels := putSelector(ctx)
		ofSelector := foreignSlice(ctx, "files-abcde", "endpointslice-controller.k8s.io", labels)
		mirrored := foreignSlice(ctx, "files-fghij", "endpointslicemirroring-controller.k8s.io", nil)
		mirror := endpoints(ctx)
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.Selector).To(BeEmpty())
		Expect(gone(ctx, ofSelector)).To(BeTrue(), "it leads passive ports to any pod")
		Expect(gone(ctx, mirrored)).To(BeTrue(), "it leads passive ports to any pod")
		Expect(gone(ctx, mirror)).To(BeTrue(), "it would be mirrored again")
		Expect(c.slice(ctx, "files-a").Endpoints).To(HaveLen(1), "our own stays")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionPassivePortsExposed).Status).To(Equal(metav1.ConditionTrue))

		// The controller was slow and wrote the slice once more.
		late := foreignSlice(ctx, "files-klmno", "endpointslice-controller.k8s.io", labels)
		c.settle(ctx, "files")
		Expect(gone(ctx, late)).To(BeTrue())
	})

	It("is told of if somebody else made it, until it is deleted as the message says", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		theirs := foreignSlice(ctx, "mesh", "mesh.example.com", map[string]string{v1alpha1.ServerLabel: "another"})
		byHand := foreignSlice(ctx, "by-hand", "", nil)
		c.settle(ctx, "files")
		exposed := c.condition(ctx, "files", v1alpha1.ConditionPassivePortsExposed)
		Expect(exposed.Status).To(Equal(metav1.ConditionFalse))
		Expect(exposed.Reason).To(Equal("ForeignEndpoints"))
		Expect(exposed.Message).To(And(ContainSubstring("mesh (managed by mesh.example.com)"), ContainSubstring("by-hand"), ContainSubstring("delete it")))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Reason).To(Equal("ForeignEndpoints"))
		Expect(gone(ctx, theirs)).To(BeFalse())

		Expect(admin.Delete(ctx, theirs)).To(Succeed())
		edit(ctx, byHand, func(s *discoveryv1.EndpointSlice) { delete(s.Labels, discoveryv1.LabelServiceName) })
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
	})

	It("is seen by a whole manager, with and without our label", func(ctx context.Context) {
		c.manage(operatorConfig, c.namespace)
		c.serveManaged(ctx, c.files(), "files-a")
		c.quiet()
		reason := func() string { return c.condition(ctx, "files", v1alpha1.ConditionPassivePortsExposed).Reason }

		byHand := foreignSlice(ctx, "by-hand", "", nil)
		Eventually(reason, soon).Should(Equal("ForeignEndpoints"))
		Expect(admin.Delete(ctx, byHand)).To(Succeed())
		Eventually(reason, soon).Should(Equal("PortsExposed"))

		mirror := endpoints(ctx)
		mirrored := foreignSlice(ctx, "files-fghij", "endpointslicemirroring-controller.k8s.io", nil)
		Eventually(func() bool { return gone(ctx, mirrored) && gone(ctx, mirror) }, soon).Should(BeTrue())

		// The Service is replaced, as by kubectl replace, without our labels, so that its slices have none either.
		edit(ctx, c.service(ctx, "files"), func(s *corev1.Service) {
			s.Labels, s.Spec.Selector = nil, map[string]string{v1alpha1.ServerLabel: "files"}
		})
		unlabelled := foreignSlice(ctx, "files-abcde", "endpointslice-controller.k8s.io", nil)
		Eventually(func() bool { return gone(ctx, unlabelled) }, soon).Should(BeTrue())
		Eventually(func() map[string]string { return c.service(ctx, "files").Spec.Selector }, soon).Should(BeEmpty())
	})

	It("is not touched while the Service is somebody else's", func(ctx context.Context) {
		Expect(admin.Create(ctx, &corev1.Service{ObjectMeta: c.meta("files"), Spec: corev1.ServiceSpec{
			Ports: []corev1.ServicePort{{Port: 21}},
		}})).To(Succeed())
		theirs := foreignSlice(ctx, "theirs", "endpointslicemirroring-controller.k8s.io", nil)
		mirror := endpoints(ctx)
		Expect(admin.Create(ctx, c.files())).To(Succeed())
		c.settle(ctx, "files")
		Expect(gone(ctx, theirs) || gone(ctx, mirror)).To(BeFalse())
	})
})
