package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
	"github.com/ftp-operator/ftp-operator/controllers/caches"
)

// soon is the timeout of these tests, long enough for a busy machine.
const soon = 10 * time.Minute

// manage runs a whole manager, with watches and caches, until the test ends.
func (c *cluster) manage(config *rest.Config, namespaces ...string) {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	config = c.traffic.through(config)
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Cache:   caches.Options(namespaces),
		Metrics: metricsserver.Options{BindAddress: "0"},
		Logger:  GinkgoLogr,
	})
	Expect(err).NotTo(HaveOccurred())
	asking, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	nodesAllowed, err := caches.MayRead(ctx, asking, "nodes")
	Expect(err).NotTo(HaveOccurred())
	servicesAllowed, err := caches.MayRead(ctx, asking, "services")
	Expect(err).NotTo(HaveOccurred())

	c.cached = mgr.GetCache()
	options := c.options(mgr.GetClient(), mgr.GetAPIReader())
	options.Recorder = mgr.GetEventRecorder("ftp-operator")
	c.managed = controllers.New(options)
	Expect(c.managed.Setup(ctx, mgr, controllers.SetupOptions{
		NodesAllowed: nodesAllowed, ServicesAllowed: servicesAllowed, Namespaces: namespaces,
		MaxConcurrent: 2, Timeout: time.Minute, Name: c.namespace,
	})).To(Succeed())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	DeferCleanup(func() {
		cancel()
		Eventually(done, soon).Should(Receive(Succeed()))
	})
}

// manageNamespaced runs a manager that has permissions in the test's namespace only.
func (c *cluster) manageNamespaced(ctx context.Context) {
	GinkgoHelper()
	name := "of-" + c.namespace
	Expect(admin.Create(ctx, &rbacv1.Role{ObjectMeta: c.meta("operator"), Rules: operatorRules})).To(Succeed())
	Expect(admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: c.meta("operator"),
		Subjects:   []rbacv1.Subject{{Kind: "User", Name: name}},
		RoleRef:    rbacv1.RoleRef{Kind: "Role", Name: "operator"},
	})).To(Succeed())
	c.manage(userConfig(name), c.namespace)
}

func (c *cluster) eventuallyReady(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		s := &v1alpha1.FtpServer{}
		g.Expect(admin.Get(ctx, c.key(name), s)).To(Succeed())
		g.Expect(meta.IsStatusConditionTrue(s.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), "%+v", s.Status.Conditions)
		g.Expect(s.Status.ObservedGeneration).To(Equal(s.Generation))
	}, soon).Should(Succeed())
}

// serveManaged brings a server to readiness with passes that the manager's watches start, and no others.
func (c *cluster) serveManaged(ctx context.Context, s *v1alpha1.FtpServer, pod string) {
	GinkgoHelper()
	Expect(admin.Create(ctx, s)).To(Succeed())
	Eventually(func() error { return admin.Get(ctx, c.key(s.Name), &appsv1.Deployment{}) }, soon).Should(Succeed())
	Eventually(func() string {
		return c.condition(ctx, s.Name, v1alpha1.ConditionUsersReady).Reason
	}, soon).Should(Equal("PasswordMissing"))
	c.password(ctx, "alice", "secret")
	if c.service(ctx, s.Name).Spec.Type == corev1.ServiceTypeLoadBalancer {
		c.loadBalancer(ctx, s.Name, corev1.LoadBalancerIngress{IP: "203.0.113.10"})
	}
	c.makePod(ctx, s.Name, pod)
	Eventually(func() string { return c.pod(ctx, pod).Annotations[v1alpha1.PassivePortsAnnotation] }, soon).NotTo(BeEmpty())
	c.startPod(ctx, pod)
	Eventually(func() bool { return podConditionTrue(c.pod(ctx, pod), v1alpha1.RoutedConditionType) }, soon).Should(BeTrue())
	c.startPod(ctx, pod)
	// Repeat what a Deployment's controller would do.
	Eventually(func() bool {
		c.rolledOut(ctx, s.Name, 1)
		return meta.IsStatusConditionTrue(c.server(ctx, s.Name).Status.Conditions, v1alpha1.ConditionReady)
	}, soon).Should(BeTrue())
}

// quiet waits until the manager makes no more requests.
func (c *cluster) quiet() {
	GinkgoHelper()
	Eventually(func() int {
		c.traffic.reset()
		Consistently(c.traffic.requests, "500ms").Should(BeNumerically(">=", 0))
		return c.traffic.requests()
	}, soon).Should(BeZero())
}

var _ = Describe("a whole manager", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	It("sees what happens, and writes nothing when nothing did", func(ctx context.Context) {
		c.manage(operatorConfig)
		c.serveManaged(ctx, c.files(), "files-a")
		c.eventuallyReady(ctx, "files")
		Eventually(func() []string {
			var list eventsv1.EventList
			Expect(admin.List(ctx, &list, client.InNamespace(c.namespace))).To(Succeed())
			var reasons []string
			for _, e := range list.Items {
				reasons = append(reasons, e.Reason)
			}
			return reasons
		}, soon).Should(ContainElement("Ready"))
		var list eventsv1.EventList
		Expect(admin.List(ctx, &list, client.InNamespace(c.namespace))).To(Succeed())
		for _, e := range list.Items {
			Expect(e.Type).To(Equal(corev1.EventTypeNormal), "a healthy start gives no Warning, as of %s: %s", e.Reason, e.Note)
		}

		c.quiet()
		for _, value := range []string{"1", "2"} {
			c.traffic.reset()
			edit(ctx, c.files(), func(s *v1alpha1.FtpServer) { s.Annotations = map[string]string{"example.com/poke": value} })
			Eventually(c.traffic.requests, soon).Should(BeNumerically(">", 0), "it should look")
			Consistently(c.traffic.written, "1s").Should(BeEmpty())
		}
	})

	It("restores what is deleted, edited or loses its label, by itself", func(ctx context.Context) {
		c.manage(operatorConfig, c.namespace)
		c.serveManaged(ctx, c.files(), "files-a")
		for _, object := range []client.Object{
			&corev1.Service{ObjectMeta: c.meta("files")},
			&networkingv1.NetworkPolicy{ObjectMeta: c.meta("files")},
			&corev1.Secret{ObjectMeta: c.meta("files-config")},
			&discoveryv1.EndpointSlice{ObjectMeta: c.meta("files-a")},
		} {
			key := client.ObjectKeyFromObject(object)
			Expect(admin.Get(ctx, key, object)).To(Succeed())
			old := object.GetUID()
			Expect(admin.Delete(ctx, object)).To(Succeed())
			Eventually(func(g Gomega) {
				g.Expect(admin.Get(ctx, key, object)).To(Succeed())
				g.Expect(object.GetUID()).NotTo(Equal(old))
			}, soon).Should(Succeed(), "%T", object)

			edit(ctx, object, func(o client.Object) { o.SetLabels(nil) })
			Eventually(func(g Gomega) {
				g.Expect(admin.Get(ctx, key, object)).To(Succeed())
				g.Expect(object.GetLabels()).To(HaveKeyWithValue(v1alpha1.ServerLabel, "files"))
			}, soon).Should(Succeed(), "%T", object)
		}
		edit(ctx, &appsv1.Deployment{ObjectMeta: c.meta("files")}, func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Image = "evil"
		})
		Eventually(func() string { return c.deployment(ctx, "files").Spec.Template.Spec.Containers[0].Image }, soon).Should(Equal(image))
	})

	It("follows passwords, claims and addresses", func(ctx context.Context) {
		c.manage(operatorConfig, c.namespace)
		Expect(admin.Create(ctx, c.files(replicas(1)))).To(Succeed())
		Eventually(func() string { return c.condition(ctx, "files", v1alpha1.ConditionStorageReady).Reason }, soon).Should(Equal("ClaimMissing"))
		c.sharedClaim(ctx)
		Eventually(func() string { return c.condition(ctx, "files", v1alpha1.ConditionStorageReady).Reason }, soon).Should(Equal("ClaimBound"))

		c.password(ctx, "alice", "one")
		Eventually(func() string { return c.condition(ctx, "files", v1alpha1.ConditionUsersReady).Reason }, soon).Should(Equal("UsersReady"))
		_, before := c.config(ctx, "files")
		c.password(ctx, "alice", "two")
		Eventually(func() string { _, hash := c.config(ctx, "files"); return hash }, soon).ShouldNot(Equal(before))

		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.30"})
		Eventually(func() string {
			parsed, _ := c.config(ctx, "files")
			return parsed.Passive.AdvertisedAddress
		}, soon).Should(Equal("203.0.113.30"))
	})

	It("takes a node's address for type NodePort, and follows it", func(ctx context.Context) {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-a"}}
		Expect(admin.Create(ctx, node)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, node)).To(Succeed()) })
		setNode := func(change func(*corev1.Node)) {
			GinkgoHelper()
			Eventually(func() error {
				if err := admin.Get(ctx, client.ObjectKeyFromObject(node), node); err != nil {
					return err
				}
				change(node)
				return admin.Status().Update(ctx, node)
			}).Should(Succeed())
		}
		address := func(ip string) func(*corev1.Node) {
			return func(n *corev1.Node) {
				n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
				n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeExternalIP, Address: ip}}
			}
		}
		setNode(address("198.51.100.20"))
		c.manage(operatorConfig, c.namespace)
		c.serveManaged(ctx, c.files(serviceType(corev1.ServiceTypeNodePort)), "files-a")
		s := c.server(ctx, "files")
		Expect(s.Status.AdvertisedAddress).To(Equal("198.51.100.20"))
		Expect(s.Status.AdvertisedAddressSource).To(Equal(v1alpha1.AddressFromNodeExternalIP))
		Expect(s.Status.Port).To(BeNumerically(">=", 30000))

		c.quiet()
		setNode(func(n *corev1.Node) { n.Status.Conditions[0].LastHeartbeatTime = metav1.Now() })
		Consistently(c.traffic.requests, "1s").Should(BeZero(), "a heartbeat is nothing to reconcile")
		setNode(address("198.51.100.21"))
		Eventually(func() string { return c.server(ctx, "files").Status.AdvertisedAddress }, soon).Should(Equal("198.51.100.21"))
		Eventually(func() string { return c.pod(ctx, "files-a").Annotations[v1alpha1.AdvertisedAddressAnnotation] }, soon).Should(Equal("198.51.100.21"))
		c.eventuallyReady(ctx, "files")
	})

	It("needs no permission beyond its namespaces in namespaced mode", func(ctx context.Context) {
		c.manageNamespaced(ctx)
		c.serveManaged(ctx, c.files(), "files-a")
		c.eventuallyReady(ctx, "files")

		Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) {
			s.Name = "by-node"
			s.Spec.Service.Type = corev1.ServiceTypeNodePort
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30070, End: 30073}
		}))).To(Succeed())
		Eventually(func() string { return c.condition(ctx, "by-node", v1alpha1.ConditionAddressResolved).Message }, soon).
			Should(ContainSubstring("set spec.passive.advertisedAddress"))

		other := newCluster(ctx)
		Expect(admin.Create(ctx, other.files())).To(Succeed())
		Consistently(func() bool {
			return apierrors.IsNotFound(admin.Get(ctx, other.key("files"), &appsv1.Deployment{}))
		}, "1s").Should(BeTrue())
	})
})
