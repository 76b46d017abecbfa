package controllers_test

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// more returns a second server next to files, also with one user.
func (c *cluster) more(change ...func(*v1alpha1.FtpServer)) *v1alpha1.FtpServer {
	return c.files(append([]func(*v1alpha1.FtpServer){func(s *v1alpha1.FtpServer) { s.Name = "more" }}, change...)...)
}

func portCount(n int32) func(*v1alpha1.FtpServer) {
	return func(s *v1alpha1.FtpServer) { s.Spec.Passive = v1alpha1.PassiveSpec{PortCount: n} }
}

// remove deletes a server and, as the garbage collector would, its Service.
func (c *cluster) remove(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(admin.Delete(ctx, c.server(ctx, name))).To(Succeed())
	Expect(admin.Delete(ctx, c.service(ctx, name))).To(Succeed())
}

// nodePortService creates a Service of another owner with that node port.
func (c *cluster) nodePortService(ctx context.Context, name string, port int32) {
	GinkgoHelper()
	Expect(admin.Create(ctx, &corev1.Service{ObjectMeta: c.meta(name), Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeNodePort, Ports: []corev1.ServicePort{{Port: 80, NodePort: port}},
	}})).To(Succeed())
}

func (c *cluster) allocated(ctx context.Context, name string) string {
	GinkgoHelper()
	return c.server(ctx, name).Status.AllocatedPortRange
}

var _ = Describe("node ports that others hold", func() {
	var (
		c      *cluster
		byNode = serviceType(corev1.ServiceTypeNodePort)
	)
	BeforeEach(func(ctx context.Context) {
		c = newCluster(ctx)
		c.password(ctx, "alice", "secret")
	})
	exposed := func(ctx context.Context, name string) *metav1.Condition {
		GinkgoHelper()
		return c.condition(ctx, name, v1alpha1.ConditionPassivePortsExposed)
	}

	It("are told with their holder, and taken once they come free", func(ctx context.Context) {
		Expect(admin.Create(ctx, c.files(byNode))).To(Succeed())
		c.settle(ctx, "files")
		Expect(exposed(ctx, "files").Status).To(Equal(metav1.ConditionTrue))

		Expect(admin.Create(ctx, c.more(byNode))).To(Succeed())
		c.settle(ctx, "more")
		held := exposed(ctx, "more")
		Expect(held.Status).To(Equal(metav1.ConditionFalse))
		Expect(held.Reason).To(Equal("NodePortConflict"))
		Expect(held.Message).To(HavePrefix("30040-30049 are held by FtpServer " + c.namespace + "/files: choose another passive.portRange, or passive.portCount"))
		Expect(c.condition(ctx, "more", v1alpha1.ConditionReady).Reason).To(Equal("NodePortConflict"))
		Expect(kstatusOf(ctx, c, "more")).To(Equal("Failed"))
		expectEvent(c, "NodePortConflict")
		Expect(apierrors.IsNotFound(admin.Get(ctx, c.key("more"), &corev1.Service{}))).To(BeTrue())
		Expect(apierrors.IsNotFound(admin.Get(ctx, c.key("more"), &appsv1.Deployment{}))).To(BeTrue(), "pods without a Service")

		c.remove(ctx, "files")
		c.settle(ctx, "more")
		Expect(exposed(ctx, "more").Status).To(Equal(metav1.ConditionTrue))
		Expect(c.service(ctx, "more").Spec.Ports).To(HaveLen(11))
		Expect(c.deployment(ctx, "more").Name).To(Equal("more"))
		expectEvent(c, "Normal PortsExposed")
	})

	It("leave a server that serves as it is, when its range is moved onto them", func(ctx context.Context) {
		c.nodePortService(ctx, "other", 30065)
		c.serve(ctx, c.files(byNode, func(s *v1alpha1.FtpServer) { s.Spec.Passive.AdvertisedAddress = "203.0.113.10" }), "files-a")
		template := c.deployment(ctx, "files").Generation
		move := func(start, end int32) {
			GinkgoHelper()
			c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: start, End: end} })
			c.settle(ctx, "files")
		}
		move(30060, 30069)
		Expect(exposed(ctx, "files").Message).To(HavePrefix("30065 is held by Service " + c.namespace + "/other: "))
		Expect(c.server(ctx, "files").Status.PassiveRange).To(Equal("30040-30049"))
		Expect(c.deployment(ctx, "files").Generation).To(Equal(template), "pods are replaced though there is nothing to replace them with")
		Expect(c.slice(ctx, "files-a").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()))

		Expect(admin.Delete(ctx, c.service(ctx, "other"))).To(Succeed())
		c.settle(ctx, "files")
		Expect(exposed(ctx, "files").Status).To(Equal(metav1.ConditionTrue))
		Expect(c.deployment(ctx, "files").Generation).To(BeNumerically(">", template))
		Expect(c.server(ctx, "files").Status.PassiveRange).To(ContainSubstring("30060-30069"))
	})

	It("count for the control port too, and so does the server's own", func(ctx context.Context) {
		c.nodePortService(ctx, "other", 30021)
		control := int32(30021)
		Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) { s.Spec.Service.NodePort = &control }))).To(Succeed())
		c.settle(ctx, "files")
		Expect(exposed(ctx, "files").Message).To(HavePrefix("30021 is held by Service " + c.namespace + "/other: choose another service.nodePort, or leave it out"))

		Expect(admin.Create(ctx, c.more(byNode))).To(Succeed())
		c.settle(ctx, "more")
		var chosen int32
		for _, port := range c.service(ctx, "more").Spec.Ports {
			if port.Name == "ftp" {
				chosen = port.NodePort
			}
		}
		c.update(ctx, "more", func(s *v1alpha1.FtpServer) {
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: min(chosen, 32758), End: min(chosen, 32758) + 9}
		})
		c.settle(ctx, "more")
		Expect(exposed(ctx, "more").Message).To(ContainSubstring("is held by this server's own control port (see spec.service.nodePort)"))
	})

	It("are taken by itself, by a whole manager, once they come free", func(ctx context.Context) {
		c.manage(operatorConfig)
		Expect(admin.Create(ctx, c.files(byNode))).To(Succeed())
		Eventually(func() metav1.ConditionStatus { return exposed(ctx, "files").Status }, soon).Should(Equal(metav1.ConditionTrue))
		Expect(admin.Create(ctx, c.more(byNode))).To(Succeed())
		Eventually(func() string { return exposed(ctx, "more").Reason }, soon).Should(Equal("NodePortConflict"))
		c.quiet()
		c.remove(ctx, "files")
		Eventually(func() metav1.ConditionStatus {
			// A pass that started before the deletion may have created the Service again; the garbage collector would
			// delete it again.
			Expect(client.IgnoreNotFound(admin.Delete(ctx, &corev1.Service{ObjectMeta: c.meta("files")}))).To(Succeed())
			return exposed(ctx, "more").Status
		}, soon).Should(Equal(metav1.ConditionTrue))
	})
})

var _ = Describe("passive ports by their count", func() {
	var (
		c      *cluster
		byNode = serviceType(corev1.ServiceTypeNodePort)
	)
	BeforeEach(func(ctx context.Context) {
		c = newCluster(ctx)
		c.password(ctx, "alice", "secret")
	})

	It("are chosen lowest first, for each server others, and stay", func(ctx context.Context) {
		Expect(admin.Create(ctx, c.files(portCount(10)))).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.allocated(ctx, "files")).To(Equal("30000-30009"))
		Expect(c.server(ctx, "files").Status.PassiveRange).To(Equal("30000-30009"))
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(11))

		Expect(admin.Create(ctx, c.more(portCount(20)))).To(Succeed())
		c.settle(ctx, "more")
		Expect(c.allocated(ctx, "more")).To(Equal("30010-30029"))

		c.remove(ctx, "files")
		c.reconcile = c.reconciler(c.traffic)
		c.settle(ctx, "more")
		Expect(c.allocated(ctx, "more")).To(Equal("30010-30029"), "it moved, though it need not")

		c.update(ctx, "more", portCount(25))
		c.settle(ctx, "more")
		Expect(c.allocated(ctx, "more")).To(Equal("30010-30034"))
		c.update(ctx, "more", func(s *v1alpha1.FtpServer) {
			s.Spec.Passive = v1alpha1.PassiveSpec{PortRange: v1alpha1.PortRange{Start: 30500, End: 30509}}
		})
		c.settle(ctx, "more")
		Expect(c.allocated(ctx, "more")).To(BeEmpty())
		c.update(ctx, "more", portCount(5))
		c.settle(ctx, "more")
		Expect(c.allocated(ctx, "more")).To(Equal("30500-30504"), "of the range that it had as much as can be stays")
	})

	It("avoid what Services hold at the nodes, and move only for the type", func(ctx context.Context) {
		c.nodePortService(ctx, "other", 30004)
		Expect(admin.Create(ctx, c.files(byNode, portCount(10)))).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.allocated(ctx, "files")).To(Equal("30005-30014"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionPassivePortsExposed).Status).To(Equal(metav1.ConditionTrue))

		c.nodePortService(ctx, "another", 30023)
		Expect(admin.Create(ctx, c.more(portCount(10), func(s *v1alpha1.FtpServer) { s.Spec.Service.Type = corev1.ServiceTypeClusterIP }))).To(Succeed())
		c.settle(ctx, "more")
		Expect(c.allocated(ctx, "more")).To(Equal("30015-30024"), "node ports are nothing to a cluster IP")
		c.update(ctx, "more", byNode)
		c.settle(ctx, "more")
		Expect(c.allocated(ctx, "more")).To(Equal("30024-30033"))
	})

	It("are told to be too many, and chosen once there is room", func(ctx context.Context) {
		// The whole range of this operator lies in the part of the cluster's range of which the API server gives nothing
		// by itself. A port that it gave to a Service of another test may still be taken after that Service is gone.
		live := c.client(c.traffic)
		options := c.options(likeCache(live), live)
		options.NodePorts = config.Run{First: 30000, Last: 30085}
		c.reconcile = controllers.New(options)
		for i, port := range []int32{30020, 30041, 30062} {
			c.nodePortService(ctx, "other-"+string(rune('a'+i)), port)
		}
		Expect(admin.Create(ctx, c.files(byNode, portCount(30)))).To(Succeed())
		c.settle(ctx, "files")
		none := c.condition(ctx, "files", v1alpha1.ConditionPassivePortsExposed)
		Expect(none.Reason).To(Equal("NoFreeRange"))
		Expect(none.Message).To(ContainSubstring("are free within 30000-30085 (the longest free run has 23)"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Failed"))
		Expect(apierrors.IsNotFound(admin.Get(ctx, c.key("files"), &appsv1.Deployment{}))).To(BeTrue())

		Expect(admin.Delete(ctx, c.service(ctx, "other-b"))).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.allocated(ctx, "files")).To(Equal("30021-30050"))
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(31))
	})

	It("are never the same for two servers, not even of two operators", func(ctx context.Context) {
		Expect(admin.Create(ctx, c.files(portCount(10)))).To(Succeed())
		Expect(admin.Create(ctx, c.more(portCount(10)))).To(Succeed())
		second := &traffic{namespace: c.namespace}
		other := c.reconciler(second)
		// The second operator chooses for the other server after the first has made its choice and before it has
		// recorded it.
		c.traffic.beforeWrite = func() {
			defer GinkgoRecover()
			_, err := other.Reconcile(ctx, requestFor(c, "more"))
			Expect(err).NotTo(HaveOccurred())
		}
		c.settle(ctx, "files")
		Expect(c.allocated(ctx, "more")).To(Equal("30000-30009"))
		Expect(c.allocated(ctx, "files")).To(Equal("30010-30019"))
		Expect(c.service(ctx, "files").Spec.Ports[1].Name).To(Equal("p30010"))
	})
})

var _ = Describe("node ports that an operator of some namespaces can't see", func() {
	It("are found out by the API server's refusals, and others chosen", func(ctx context.Context) {
		hidden, c := newCluster(ctx), newCluster(ctx)
		for name, port := range map[string]int32{"a": 30003, "b": 30009, "c": 30015} {
			hidden.nodePortService(ctx, name, port)
		}
		c.manageNamespaced(ctx)
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(serviceType(corev1.ServiceTypeNodePort), portCount(10)))).To(Succeed())
		Eventually(func() metav1.ConditionStatus {
			return c.condition(ctx, "files", v1alpha1.ConditionPassivePortsExposed).Status
		}, soon).Should(Equal(metav1.ConditionTrue))
		Expect(c.allocated(ctx, "files")).To(Equal("30016-30025"))
	})

	It("are told to be unseen, where the range is declared", func(ctx context.Context) {
		hidden, c := newCluster(ctx), newCluster(ctx)
		hidden.nodePortService(ctx, "other", 30045)
		c.manageNamespaced(ctx)
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(serviceType(corev1.ServiceTypeNodePort)))).To(Succeed())
		Eventually(func() string { return c.condition(ctx, "files", v1alpha1.ConditionReady).Message }, soon).
			Should(And(ContainSubstring("30045"), ContainSubstring("another Service has that node port, one that the operator may not see")))
	})
})

var _ = Describe("a load balancer's address that Services share", func() {
	It("is had in the end, by following the advice: another range", func(ctx context.Context) {
		c := newCluster(ctx)
		shares := func(name string, port int32) *v1alpha1.FtpServer {
			return c.files(func(s *v1alpha1.FtpServer) {
				s.Name = name
				s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
				s.Spec.Service.Port = port
				s.Spec.Service.Annotations = map[string]string{"metallb.io/allow-shared-ip": c.namespace}
			})
		}
		// balance does what MetalLB does: a Service that has a port in common with another Service at the address
		// gets no address.
		balance := func() {
			GinkgoHelper()
			var services corev1.ServiceList
			Expect(admin.List(ctx, &services, client.InNamespace(c.namespace))).To(Succeed())
			taken := map[int32]string{}
			slices.SortFunc(services.Items, func(a, b corev1.Service) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
			for _, has := range []bool{true, false} {
				for i := range services.Items {
					s := &services.Items[i]
					if (len(s.Status.LoadBalancer.Ingress) > 0) != has {
						continue
					}
					if slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { h := taken[p.Port]; return h != "" && h != s.Name }) {
						continue
					}
					for _, p := range s.Spec.Ports {
						taken[p.Port] = s.Name
					}
					c.loadBalancer(ctx, s.Name, corev1.LoadBalancerIngress{IP: "203.0.113.10"})
				}
			}
		}
		c.serve(ctx, shares("files", 21), "files-a")
		Expect(admin.Create(ctx, shares("other", 2021))).To(Succeed())
		c.settle(ctx, "other")
		balance()
		c.makePod(ctx, "other", "other-a")
		c.settle(ctx, "other")
		c.setPod(ctx, "other-a", func(p *corev1.Pod) { // the pod runs and waits for an address
			p.Status.Phase = corev1.PodRunning
			setPodCondition(p, corev1.ContainersReady, corev1.ConditionFalse)
		})
		c.settle(ctx, "other")
		Expect(c.pod(ctx, "other-a").Annotations).To(HaveKey(v1alpha1.PassivePortsAnnotation))
		Expect(c.service(ctx, "other").Status.LoadBalancer.Ingress).To(BeEmpty())
		exposed := c.condition(ctx, "other", v1alpha1.ConditionPassivePortsExposed)
		Expect(exposed.Reason).To(Equal("SharedAddressConflict"))
		Expect(exposed.Message).To(ContainSubstring("choose another passive.portRange"))

		c.update(ctx, "other", func(s *v1alpha1.FtpServer) { s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30060, End: 30069} })
		c.settle(ctx, "other")
		Expect(c.pod(ctx, "other-a").DeletionTimestamp).NotTo(BeNil(), "the pod that was never ready goes")
		expectEvent(c, "was never ready")
		c.bury(ctx, "other-a")
		c.makePod(ctx, "other", "other-b")
		c.settle(ctx, "other")
		balance()
		c.run(ctx, "other", "other-b")
		Expect(kstatusOf(ctx, c, "other")).To(Equal("Current"))
		Expect(c.server(ctx, "other").Status.Endpoint).To(Equal("ftp://203.0.113.10:2021"))
		Expect(c.condition(ctx, "other", v1alpha1.ConditionPassivePortsExposed).Reason).To(Equal("PortsExposed"))
	})

	It("is told to be impossible for ports that two have, and counted ports avoid that", func(ctx context.Context) {
		c := newCluster(ctx)
		sharing := func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Annotations = map[string]string{"metallb.io/allow-shared-ip": c.namespace}
		}
		c.serve(ctx, c.files(sharing), "files-a")
		c.serve(ctx, c.more(sharing), "more-a")
		both := c.condition(ctx, "more", v1alpha1.ConditionPassivePortsExposed)
		Expect(both.Status).To(Equal(metav1.ConditionFalse))
		Expect(both.Reason).To(Equal("SharedAddressConflict"))
		Expect(both.Message).To(And(
			ContainSubstring("30040-30049 are held by FtpServer "+c.namespace+"/files; 21 is held by FtpServer "+c.namespace+"/files"),
			ContainSubstring("choose another service.port")))
		Expect(kstatusOf(ctx, c, "more")).To(Equal("Current"), "it has an address of its own all the same")
		expectEvent(c, "Warning SharedAddressConflict")

		c.update(ctx, "more", func(s *v1alpha1.FtpServer) { s.Spec.Service.Port = 2100 })
		c.update(ctx, "more", portCount(10))
		c.settle(ctx, "more")
		Expect(c.allocated(ctx, "more")).To(Equal("30000-30009"))
		Expect(c.condition(ctx, "more", v1alpha1.ConditionPassivePortsExposed).Reason).To(Equal("PortsExposed"))
	})
})
