package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

var _ = Describe("deleting a server", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	// routing returns the objects that the pods of a server need until they end.
	routing := func() []client.Object {
		return []client.Object{
			&corev1.Service{ObjectMeta: c.meta("files")},
			&networkingv1.NetworkPolicy{ObjectMeta: c.meta("files")},
			&corev1.Secret{ObjectMeta: c.meta("files-config")},
		}
	}
	expectDraining := func(ctx context.Context, pod string) {
		GinkgoHelper()
		slice := c.slice(ctx, pod)
		conditions := slice.Endpoints[0].Conditions
		Expect(conditions.Ready).To(HaveValue(BeFalse()), "slice of %s", pod)
		Expect(conditions.Serving).To(HaveValue(BeTrue()), "slice of %s", pod)
		Expect(conditions.Terminating).To(HaveValue(BeTrue()), "slice of %s", pod)
		Expect(len(slice.Ports)).To(BeNumerically(">", 1), "its passive ports still lead to %s", pod)
	}
	expectGone := func(ctx context.Context) {
		GinkgoHelper()
		for _, object := range append(routing(), &discoveryv1.EndpointSlice{ObjectMeta: c.meta("files-a")}) {
			Expect(apierrors.IsNotFound(admin.Get(ctx, client.ObjectKeyFromObject(object), object))).To(BeTrue(), "%T", object)
		}
	}

	It("makes each pod an owner before it is told its ports, once, and never a controller", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)), "files-a", "files-b")
		for _, object := range routing() {
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			Expect(metav1.GetControllerOf(object).Kind).To(Equal("FtpServer"))
			for _, pod := range []string{"files-a", "files-b"} {
				Expect(object.GetOwnerReferences()).To(ContainElement(
					metav1.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: pod, UID: c.pod(ctx, pod).UID}), "%T", object)
			}
		}
		By("also while the Service itself can't be written")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Service.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
		})
		c.terminate(ctx, "files-a")
		c.bury(ctx, "files-a")
		c.collectGarbage(ctx)
		c.makePod(ctx, "files", "files-c")
		c.settle(ctx, "files")
		Expect(c.pod(ctx, "files-c").Annotations).To(HaveKey(v1alpha1.PassivePortsAnnotation))
		for _, object := range routing() {
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			Expect(object.GetOwnerReferences()).To(ConsistOf(
				HaveField("Kind", "FtpServer"), HaveField("Name", "files-b"), HaveField("Name", "files-c")), "%T", object)
		}
	})

	It("leaves Service, policy, Secret and slices until the last pod is gone, without the operator too", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)), "files-a", "files-b")
		Expect(admin.Delete(ctx, c.server(ctx, "files"))).To(Succeed())
		c.collectGarbage(ctx)
		Expect(c.pod(ctx, "files-a").DeletionTimestamp).NotTo(BeNil(), "pods go with their Deployment")
		for _, gone := range []string{"files-a", "files-b"} {
			for _, object := range routing() {
				Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed(), "%T, before %s is gone", object, gone)
				Expect(object.GetDeletionTimestamp()).To(BeNil(), "%T", object)
			}
			c.slice(ctx, gone)
			c.bury(ctx, gone)
			c.collectGarbage(ctx)
		}
		expectGone(ctx)
	})

	It("shows its pods as draining, and leads nowhere what has ended", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)), "files-a", "files-b")
		Expect(admin.Delete(ctx, c.server(ctx, "files"))).To(Succeed())
		c.collectGarbage(ctx)
		c.settle(ctx, "files")
		expectDraining(ctx, "files-a")
		expectDraining(ctx, "files-b")
		c.setPod(ctx, "files-a", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })
		c.settle(ctx, "files")
		Expect(apierrors.IsNotFound(admin.Get(ctx, c.key("files-a"), &discoveryv1.EndpointSlice{}))).To(BeTrue())
		expectDraining(ctx, "files-b")
	})

	It("is followed by a new one of its name, beside whose pods the old ones drain", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		service, secret := c.service(ctx, "files").UID, get(ctx, c, "files-config", &corev1.Secret{}).UID
		Expect(admin.Delete(ctx, c.server(ctx, "files"))).To(Succeed())
		By("before the garbage collector has come to what the old one owns")
		Expect(admin.Create(ctx, c.files())).To(Succeed())
		c.settle(ctx, "files")
		Expect(*c.condition(ctx, "files", v1alpha1.ConditionStalled)).To(HaveField("Status", BeEquivalentTo("absent")))
		By("and after")
		c.collectGarbage(ctx)
		c.settle(ctx, "files")
		Expect(*c.condition(ctx, "files", v1alpha1.ConditionStalled)).To(HaveField("Status", BeEquivalentTo("absent")))
		c.makePod(ctx, "files", "files-b")
		c.run(ctx, "files", "files-b")

		Expect(c.service(ctx, "files").UID).To(Equal(service), "the same Service, and so the same addresses")
		Expect(get(ctx, c, "files-config", &corev1.Secret{}).UID).To(Equal(secret))
		Expect(metav1.GetControllerOf(c.service(ctx, "files")).UID).To(Equal(c.server(ctx, "files").UID))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
		expectDraining(ctx, "files-a")
		expectDistinctPorts(ctx, c)
		Expect(c.slice(ctx, "files-b").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()))
		c.bury(ctx, "files-a")
		c.collectGarbage(ctx)
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").UID).To(Equal(service))
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(11))
	})

	It("in the foreground makes anew what the garbage collector takes from pods that drain", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		// The collector deletes in the foreground down to the pods, and deletes at once the objects that only the
		// pods own.
		foreground := client.PropagationPolicy(metav1.DeletePropagationForeground)
		Expect(admin.Delete(ctx, c.server(ctx, "files"), foreground)).To(Succeed())
		Expect(admin.Delete(ctx, c.deployment(ctx, "files"), foreground)).To(Succeed())
		c.terminate(ctx, "files-a")
		for _, object := range append(routing(), c.slice(ctx, "files-a")) {
			Expect(admin.Delete(ctx, object)).To(Succeed())
		}
		c.settle(ctx, "files")
		Expect(c.server(ctx, "files").DeletionTimestamp).NotTo(BeNil())
		expectDraining(ctx, "files-a")
		for _, object := range routing()[:2] {
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed(), "%T", object)
			Expect(object.GetOwnerReferences()).To(ConsistOf(HaveField("UID", c.pod(ctx, "files-a").UID)), "%T", object)
		}
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(len(c.slice(ctx, "files-a").Ports)))

		c.bury(ctx, "files-a")
		Expect(removeFinalizers(ctx, c.deployment(ctx, "files"))).To(Succeed())
		Expect(removeFinalizers(ctx, c.server(ctx, "files"))).To(Succeed())
		c.collectGarbage(ctx)
		c.settle(ctx, "files")
		expectGone(ctx)
	})
})
