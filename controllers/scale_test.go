package controllers_test

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	ac "github.com/ftp-operator/ftp-operator/api/v1alpha1/applyconfiguration/api/v1alpha1"
)

// autoscaler is the field manager of a HorizontalPodAutoscaler's controller.
const autoscaler = client.FieldOwner("kube-controller-manager")

// scale sets an object's replicas through its scale subresource, as kubectl scale and autoscalers do.
func scale(ctx context.Context, object client.Object, replicas int32, by client.FieldOwner) {
	GinkgoHelper()
	body := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
	Expect(admin.SubResource("scale").Update(ctx, object, client.WithSubResourceBody(body), by)).To(Succeed())
}

var _ = Describe("scaling the FtpServer", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	It("tells autoscalers what they ask for", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)), "files-a", "files-b")
		found := &autoscalingv1.Scale{}
		Expect(admin.SubResource("scale").Get(ctx, c.server(ctx, "files"), found)).To(Succeed())
		Expect(found.Spec.Replicas).To(Equal(int32(2)))
		Expect(found.Status.Replicas).To(Equal(int32(2)))
		Expect(found.Status.Selector).To(Equal(v1alpha1.ServerLabel + "=files"))
	})

	It("stays as an autoscaler left it when the manifest is applied again", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		c.sharedClaim(ctx)
		manifest := func() *ac.FtpServerApplyConfiguration {
			return ac.FtpServer("files", c.namespace).WithSpec(ac.FtpServerSpec().
				WithPassive(ac.PassiveSpec().WithPortRange(ac.PortRange().WithStart(30040).WithEnd(30049))).
				WithStorage(ac.StorageSpec().WithPersistentVolumeClaim(ac.ClaimReference().WithClaimName("shared"))))
		}
		person := client.FieldOwner("kubectl")
		Expect(admin.Apply(ctx, manifest(), person)).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.deployment(ctx, "files").Spec.Replicas).To(HaveValue(Equal(int32(1))))

		scale(ctx, c.server(ctx, "files"), 3, autoscaler)
		c.settle(ctx, "files")
		Expect(c.deployment(ctx, "files").Spec.Replicas).To(HaveValue(Equal(int32(3))))

		again := manifest()
		again.Spec.WithService(ac.ServiceSpec().WithPort(2100))
		Expect(admin.Apply(ctx, again, person)).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.Ports[0].Port).To(Equal(int32(2100)))
		Expect(c.server(ctx, "files").Spec.Replicas).To(HaveValue(Equal(int32(3))))
		Expect(c.deployment(ctx, "files").Spec.Replicas).To(HaveValue(Equal(int32(3))))

		// An earlier manifest contained the number, which was later left to the autoscaler.
		before := manifest()
		before.Spec.WithReplicas(2)
		Expect(admin.Apply(ctx, before, person)).To(Succeed())
		scale(ctx, c.server(ctx, "files"), 4, autoscaler)
		Expect(admin.Apply(ctx, manifest(), person)).To(Succeed())
		Expect(c.server(ctx, "files").Spec.Replicas).To(HaveValue(Equal(int32(4))))
	})
})

var _ = Describe("an autoscaler that aims at the Deployment", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	deployed := func(ctx context.Context) int32 {
		GinkgoHelper()
		return *c.deployment(ctx, "files").Spec.Replicas
	}

	It("is not fought, and is told of, until the spec says the same", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(1)), "files-a")
		Expect(c.service(ctx, "files").Spec.ExternalTrafficPolicy).To(Equal(corev1.ServiceExternalTrafficPolicyLocal))

		scale(ctx, c.deployment(ctx, "files"), 3, autoscaler)
		c.settle(ctx, "files")
		Expect(deployed(ctx)).To(Equal(int32(3)))
		for _, name := range []string{"files-b", "files-c"} {
			c.makePod(ctx, "files", name)
		}
		c.run(ctx, "files", "files-a", "files-b", "files-c")
		expectDistinctPorts(ctx, c)
		Expect(c.service(ctx, "files").Spec.ExternalTrafficPolicy).To(Equal(corev1.ServiceExternalTrafficPolicyCluster))
		Expect(get(ctx, c, "files", &policyv1.PodDisruptionBudget{}).Spec.MaxUnavailable).NotTo(BeNil())
		server := c.server(ctx, "files")
		Expect(server.Spec.Replicas).To(HaveValue(Equal(int32(1))))
		Expect(server.Status.ScaledBy).To(Equal(string(autoscaler)))
		Expect(server.Status.ReplicasSummary).To(Equal("3/3"))
		ready := c.condition(ctx, "files", v1alpha1.ConditionReady)
		Expect(ready.Status).To(Equal(metav1.ConditionTrue))
		Expect(ready.Message).To(ContainSubstring("spec.replicas does not count"))

		// The Deployment is written for another reason while the spec has another number.
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Replicas = ptr.To[int32](2)
			s.Spec.Template.Metadata.Annotations = map[string]string{"example.com/rolled": "yes"}
		})
		c.settle(ctx, "files")
		Expect(c.deployment(ctx, "files").Spec.Template.Annotations).To(HaveKey("example.com/rolled"))
		Expect(deployed(ctx)).To(Equal(int32(3)))

		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Replicas = ptr.To[int32](3) })
		c.settle(ctx, "files")
		Expect(c.server(ctx, "files").Status.ScaledBy).To(BeEmpty())
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Replicas = ptr.To[int32](2) })
		c.settle(ctx, "files")
		Expect(deployed(ctx)).To(Equal(int32(2)), "it is the spec's again")

		scale(ctx, c.deployment(ctx, "files"), 4, autoscaler)
		c.settle(ctx, "files")
		Expect(deployed(ctx)).To(Equal(int32(4)))
	})

	It("is not undone by an operator that has not seen it yet", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(1)), "files-a")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Template.Metadata.Annotations = map[string]string{"example.com/rolled": "yes"}
		})
		behind := &traffic{namespace: c.namespace, beforeWrite: func() {
			defer GinkgoRecover()
			scale(ctx, c.deployment(ctx, "files"), 3, autoscaler)
		}}
		_, err := c.reconciler(behind).Reconcile(ctx, requestFor(c, "files"))
		Expect(err).NotTo(HaveOccurred())
		Expect(deployed(ctx)).To(Equal(int32(3)))
		c.settle(ctx, "files")
		Expect(deployed(ctx)).To(Equal(int32(3)))
		Expect(c.deployment(ctx, "files").Spec.Template.Annotations).To(HaveKey("example.com/rolled"))
	})

	It("is told of when it asks for more than the storage can serve", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		scale(ctx, c.deployment(ctx, "files"), 2, autoscaler)
		Expect(c.settle(ctx, "files")).To(BeNumerically(">=", 30e9), "no hot loop")
		stalled := c.condition(ctx, "files", v1alpha1.ConditionStalled)
		Expect(stalled.Reason).To(Equal("ScaledTooFar"))
		Expect(stalled.Message).To(And(ContainSubstring("kube-controller-manager scaled it to 2"),
			ContainSubstring("storage.emptyDir"), ContainSubstring("aim autoscalers at the FtpServer")))
		scale(ctx, c.deployment(ctx, "files"), 1, autoscaler)
		c.settle(ctx, "files")
		c.rolledOut(ctx, "files", 1)
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
	})
})

var _ = Describe("kubectl scale deployment", func() {
	// follow executes the command that follows the given word in a message: kubectl ... scale KIND NAME --replicas=N.
	command := regexp.MustCompile(`kubectl --namespace (\S+) scale (\S+) (\S+) --replicas=(\d+)`)
	follow := func(ctx context.Context, c *cluster, message, after string) {
		GinkgoHelper()
		_, rest, found := strings.Cut(message, after)
		Expect(found).To(BeTrue(), "%q has no %q", message, after)
		words := command.FindStringSubmatch(rest)
		Expect(words).NotTo(BeNil(), "no command in %q", rest)
		Expect(words[1]).To(Equal(c.namespace))
		kinds := map[string]client.Object{"deployment": c.deployment(ctx, words[3]), "ftpserver": c.server(ctx, words[3])}
		Expect(kinds).To(HaveKey(words[2]))
		n, err := strconv.Atoi(words[4])
		Expect(err).NotTo(HaveOccurred())
		scale(ctx, kinds[words[2]], int32(n), "kubectl") //nolint:gosec // a few
	}

	DescribeTable("is told of, with the command that takes it back",
		func(ctx context.Context, by client.FieldOwner, after string, want int32) {
			c := newCluster(ctx)
			c.serve(ctx, c.files(replicas(1)), "files-a")
			Expect(c.condition(ctx, "files", v1alpha1.ConditionScaleAsDeclared).Status).To(Equal(metav1.ConditionTrue))
			c.sent()

			scale(ctx, c.deployment(ctx, "files"), 2, by)
			c.makePod(ctx, "files", "files-b")
			c.run(ctx, "files", "files-a", "files-b")
			told := c.condition(ctx, "files", v1alpha1.ConditionScaleAsDeclared)
			Expect(told.Status).To(Equal(metav1.ConditionFalse))
			Expect(told.Reason).To(Equal("ScaledElsewhere"))
			Expect(told.Message).To(ContainSubstring(string(by)))
			expectEvent(c, "Warning ScaledElsewhere")
			Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue), "it serves")

			follow(ctx, c, told.Message, after)
			c.settle(ctx, "files")
			Expect(c.deployment(ctx, "files").Spec.Replicas).To(HaveValue(Equal(want)))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionScaleAsDeclared).Status).To(Equal(metav1.ConditionTrue))
			Expect(c.server(ctx, "files").Status.ScaledBy).To(BeEmpty())
			// From now on spec.replicas counts.
			c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Replicas = ptr.To[int32](3) })
			c.settle(ctx, "files")
			Expect(c.deployment(ctx, "files").Spec.Replicas).To(HaveValue(Equal(int32(3))))
		},
		Entry("by kubectl, taken back", client.FieldOwner("kubectl"), "take it back:", int32(1)),
		Entry("by kubectl, kept", client.FieldOwner("kubectl"), "keep the number:", int32(2)),
		Entry("by an autoscaler", autoscaler, "take the Deployment back:", int32(1)),
	)
})

var _ = Describe("the PodDisruptionBudget", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	absent := func(ctx context.Context) bool {
		return apierrors.IsNotFound(admin.Get(ctx, c.key("files"), &policyv1.PodDisruptionBudget{}))
	}
	budget := func(ctx context.Context) *policyv1.PodDisruptionBudget {
		GinkgoHelper()
		return get(ctx, c, "files", &policyv1.PodDisruptionBudget{})
	}

	It("is there for several pods, and never so that it could forbid a drain", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(1)), "files-a")
		Expect(absent(ctx)).To(BeTrue(), "one pod must be able to go")

		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Replicas = ptr.To[int32](3) })
		c.settle(ctx, "files")
		Expect(budget(ctx).Spec.MaxUnavailable).To(HaveValue(Equal(intstr.FromInt32(1))))
		Expect(budget(ctx).Spec.UnhealthyPodEvictionPolicy).To(HaveValue(Equal(policyv1.AlwaysAllow)))
		Expect(budget(ctx).Spec.Selector.MatchLabels).To(Equal(map[string]string{v1alpha1.ServerLabel: "files"}))

		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.PodDisruptionBudget.MaxUnavailable = new(intstr.FromString("50%"))
		})
		edit(ctx, budget(ctx), func(b *policyv1.PodDisruptionBudget) { b.Spec.MaxUnavailable = new(intstr.FromInt32(0)) })
		c.settle(ctx, "files")
		Expect(budget(ctx).Spec.MaxUnavailable).To(HaveValue(Equal(intstr.FromString("50%"))))

		Expect(admin.Delete(ctx, budget(ctx))).To(Succeed())
		c.settle(ctx, "files")
		Expect(absent(ctx)).To(BeFalse())

		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.PodDisruptionBudget.Enabled = new(false) })
		c.settle(ctx, "files")
		Expect(absent(ctx)).To(BeTrue())
	})

	It("goes when one pod is left, and leaves somebody else's alone", func(ctx context.Context) {
		theirs := &policyv1.PodDisruptionBudget{ObjectMeta: c.meta("files"), Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: new(intstr.FromInt32(1)),
		}}
		Expect(admin.Create(ctx, theirs)).To(Succeed())
		c.serve(ctx, c.files(replicas(2)), "files-a", "files-b")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Message).To(ContainSubstring("PodDisruptionBudget"))
		Expect(admin.Delete(ctx, theirs)).To(Succeed())
		c.settle(ctx, "files")
		Expect(metav1.GetControllerOf(budget(ctx))).NotTo(BeNil())

		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Replicas = ptr.To[int32](1) })
		c.settle(ctx, "files")
		Expect(absent(ctx)).To(BeTrue())
	})
})
