package controllers_test

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

var _ = Describe("firewalls and limits", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	It("lets in only whom the server allows, and takes a change over without a restart", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		template := c.deployment(ctx, "files").Spec.Template
		policy := func() networkingv1.NetworkPolicySpec {
			GinkgoHelper()
			var p networkingv1.NetworkPolicy
			Expect(admin.Get(ctx, c.key("files"), &p)).To(Succeed())
			return p.Spec
		}
		Expect(policy().Ingress[0].From).To(BeEmpty())
		c.sent()

		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.NetworkPolicy.AllowedNetworks = []v1alpha1.Network{"198.51.100.0/24", "203.0.113.17"}
			s.Spec.NetworkPolicy.MetricsFrom = []v1alpha1.PodPeer{{NamespaceSelector: &metav1.LabelSelector{}}}
		})
		c.settle(ctx, "files")
		Expect(policy().Ingress[0].From).To(HaveExactElements(
			networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: "198.51.100.0/24"}},
			networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: "203.0.113.17/32"}},
		))
		Expect(policy().Ingress[1].From).To(HaveLen(2))
		file, _ := c.config(ctx, "files")
		Expect(file.AllowedNetworks).To(HaveLen(2))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionClientNetworksEnforced).Reason).To(Equal("NetworksEnforced"))
		Expect(c.deployment(ctx, "files").Spec.Template).To(Equal(template))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
		Expect(c.sent()).To(BeEmpty())

		By("a load balancer that turns out to hide the clients")
		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.10", IPMode: ptr.To(corev1.LoadBalancerIPModeProxy)})
		c.settle(ctx, "files")
		Expect(policy().Ingress[0].From).To(HaveLen(2), "what is shut stays shut")
		hidden := c.condition(ctx, "files", v1alpha1.ConditionClientNetworksEnforced)
		Expect(hidden.Status).To(Equal(metav1.ConditionFalse))
		Expect(hidden.Reason).To(Equal("ClientsHidden"))
		expectEvent(c, "Warning ClientsHidden")

		By("and allowing everybody again")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.NetworkPolicy = v1alpha1.NetworkPolicySpec{} })
		c.settle(ctx, "files")
		Expect(policy().Ingress[0].From).To(BeEmpty())
		Expect(policy().Ingress[1].From).To(HaveLen(1))
	})

	It("says once that a range is too wide for the load balancer, and stays ready", func(ctx context.Context) {
		c.serve(ctx, c.files(func(s *v1alpha1.FtpServer) {
			s.Spec.Service.LoadBalancerClass = new("service.k8s.aws/nlb")
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30049}
		}), "files-a")
		limits := c.condition(ctx, "files", v1alpha1.ConditionPortsWithinLimits)
		Expect(limits.Status).To(Equal(metav1.ConditionFalse))
		Expect(limits.Message).To(ContainSubstring("set spec.passive.portRange to 49 ports or fewer"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
		told := slices.DeleteFunc(c.sent(), func(e string) bool { return !strings.HasPrefix(e, "Warning TooManyListeners") })
		Expect(told).To(HaveLen(1))
		c.settle(ctx, "files")
		Expect(c.sent()).To(BeEmpty())
	})
})
