package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

var _ = Describe("adoption", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	claimed := func(s *v1alpha1.FtpServer) {
		s.Spec.Replicas = new(int32(2))
		s.Spec.Storage = v1alpha1.StorageSpec{VolumeClaimTemplate: &v1alpha1.VolumeClaimTemplate{
			Spec: claimSpec(corev1.ReadWriteMany), WhenDeleted: v1alpha1.RetentionRetain,
		}}
	}
	bindClaim := func(ctx context.Context) {
		GinkgoHelper()
		claim := get(ctx, c, "files-data", &corev1.PersistentVolumeClaim{})
		claim.Status.Phase = corev1.ClaimBound
		Expect(admin.Status().Update(ctx, claim)).To(Succeed())
	}
	expectOwned := func(ctx context.Context, uids map[types.UID]bool) {
		GinkgoHelper()
		server := c.server(ctx, "files")
		for _, o := range c.objects(ctx) {
			switch o.(type) {
			case *v1alpha1.FtpServer, *appsv1.ReplicaSet, *corev1.Pod, *discoveryv1.EndpointSlice, *corev1.PersistentVolumeClaim:
				continue
			}
			if o.GetLabels()[v1alpha1.ServerLabel] == "" {
				continue // a user's Secret
			}
			Expect(uids).To(HaveKey(o.GetUID()), "%T %s was made anew", o, o.GetName())
			owner := metav1.GetControllerOf(o)
			Expect(owner).NotTo(BeNil(), "%T %s", o, o.GetName())
			Expect(owner.UID).To(Equal(server.UID), "%T %s", o, o.GetName())
		}
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"), "%+v", server.Status.Conditions)
		Expect(*c.condition(ctx, "files", v1alpha1.ConditionStalled)).To(HaveField("Status", BeEquivalentTo("absent")))
	}

	It("takes over what was orphaned, with the pods that serve", func(ctx context.Context) {
		c.serve(ctx, c.files(claimed), "files-a", "files-b")
		bindClaim(ctx)
		uids := map[types.UID]bool{}
		for _, o := range c.objects(ctx) {
			uids[o.GetUID()] = true
		}
		held := c.pod(ctx, "files-a").Annotations[v1alpha1.PassivePortsAnnotation]
		old := c.server(ctx, "files")
		Expect(admin.Delete(ctx, old)).To(Succeed())
		for _, o := range c.objects(ctx) { // as the garbage collector does for --cascade=orphan
			var kept []metav1.OwnerReference
			for _, owner := range o.GetOwnerReferences() {
				if owner.UID != old.UID {
					kept = append(kept, owner)
				}
			}
			o.SetOwnerReferences(kept)
			Expect(admin.Update(ctx, o)).To(Succeed())
		}
		c.settle(ctx, "files")
		Expect(c.slice(ctx, "files-a").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()), "without its server it serves")

		Expect(admin.Create(ctx, c.files(claimed))).To(Succeed())
		c.settle(ctx, "files")
		c.rolledOut(ctx, "files", 2)
		c.settle(ctx, "files")
		expectOwned(ctx, uids)
		Expect(c.pod(ctx, "files-a").Annotations).To(HaveKeyWithValue(v1alpha1.PassivePortsAnnotation, held))
	})

	It("takes over what comes from a backup without owners, and drops slices that lead to the past", func(ctx context.Context) {
		c.serve(ctx, c.files(claimed), "files-a", "files-b")
		backup := c.objects(ctx)
		for _, o := range backup {
			Expect(client.IgnoreNotFound(admin.Delete(ctx, o, client.GracePeriodSeconds(0)))).To(Succeed())
			Expect(client.IgnoreNotFound(removeFinalizers(ctx, o.DeepCopyObject().(client.Object)))).To(Succeed())
		}
		uids := map[types.UID]bool{}
		for _, o := range backup {
			o.SetUID("")
			o.SetResourceVersion("")
			o.SetOwnerReferences(nil)
			o.SetFinalizers(nil)
			switch o := o.(type) {
			case *corev1.Pod, *appsv1.ReplicaSet:
				continue // these are created again
			case *corev1.Service:
				o.Spec.ClusterIP, o.Spec.ClusterIPs = "", nil
			}
			Expect(admin.Create(ctx, o)).To(Succeed(), "%T %s", o, o.GetName())
			uids[o.GetUID()] = true
		}
		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.10"})
		c.settle(ctx, "files")
		Expect(apierrors.IsNotFound(admin.Get(ctx, c.key("files-b"), &discoveryv1.EndpointSlice{}))).To(BeTrue(), "a slice of no pod")
		bindClaim(ctx)
		for _, pod := range []string{"files-a", "files-c"} { // files-c is the name of an earlier pod
			c.makePod(ctx, "files", pod)
		}
		c.run(ctx, "files", "files-a", "files-c")
		expectOwned(ctx, uids)
		Expect(c.slice(ctx, "files-a").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()))
	})

	It("follows its own advice: an object that gets the label is taken over", func(ctx context.Context) {
		policy := &networkingv1.NetworkPolicy{ObjectMeta: c.meta("files")}
		Expect(admin.Create(ctx, policy)).To(Succeed())
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files())).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Message).To(ContainSubstring("label it " + v1alpha1.ServerLabel + "=files"))
		edit(ctx, policy, func(p *networkingv1.NetworkPolicy) { p.Labels = map[string]string{v1alpha1.ServerLabel: "files"} })
		c.settle(ctx, "files")
		taken := get(ctx, c, "files", &networkingv1.NetworkPolicy{})
		Expect(taken.UID).To(Equal(policy.UID))
		Expect(metav1.GetControllerOf(taken).Kind).To(Equal("FtpServer"))
		Expect(taken.Spec.Ingress).NotTo(BeEmpty())
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).NotTo(Equal(metav1.ConditionTrue))
	})
})
