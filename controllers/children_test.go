package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

var _ = Describe("children", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	It("makes them all, and the server ready", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")

		service := c.service(ctx, "files")
		Expect(service.Spec.Selector).To(BeEmpty())
		Expect(service.Spec.Ports).To(HaveLen(11))
		pod := c.pod(ctx, "files-a")
		Expect(pod.Annotations).To(HaveKeyWithValue(v1alpha1.PassivePortsAnnotation, MatchRegexp(`^30040-3004\d$`)))
		parsed, hash := c.config(ctx, "files")
		Expect(pod.Annotations).To(HaveKeyWithValue(v1alpha1.ConfigHashAnnotation, hash))
		Expect(parsed.Users).To(HaveLen(1))
		Expect(parsed.Passive.AdvertisedAddress).To(Equal("203.0.113.10"))
		Expect(podConditionTrue(pod, v1alpha1.RoutedConditionType)).To(BeTrue())

		slice := c.slice(ctx, "files-a")
		Expect(slice.Endpoints).To(HaveLen(1))
		Expect(slice.Endpoints[0].Addresses).To(Equal([]string{pod.Status.PodIP}))
		Expect(slice.Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()))
		Expect(slice.Labels).To(HaveKeyWithValue(discoveryv1.LabelServiceName, "files"))

		server := c.server(ctx, "files")
		Expect(server.Status.Endpoint).To(Equal("ftp://203.0.113.10:21"))
		Expect(server.Status.AdvertisedAddressSource).To(Equal(v1alpha1.AddressFromLoadBalancerIP))
		Expect(server.Status.PassiveRange).To(Equal("30040-30049"))
		Expect(server.Status.ReplicasSummary).To(Equal("1/1"))
		Expect(server.Status.Users).To(Equal(int32(1)))
		Expect(server.Status.Selector).To(Equal("ftp-operator.io/server=files"))
		Expect(server.Status.ObservedGeneration).To(Equal(server.Generation))
		Expect(server.Status.Pods).To(ConsistOf(v1alpha1.PodStatus{
			Name: "files-a", Node: "node-a", State: v1alpha1.PodReady,
			PassivePorts: pod.Annotations[v1alpha1.PassivePortsAnnotation], AdvertisedIP: "203.0.113.10",
		}))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})

	It("writes nothing if nothing changed", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.traffic.reset()
		for range 2 {
			result, err := c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
			Expect(result.RequeueAfter).To(BeNumerically(">=", 30e9))
		}
		Expect(c.traffic.written()).To(BeEmpty())
		Expect(c.traffic.requests()).To(BeNumerically(">", 5), "or the counter counts nothing")
	})

	It("writes nothing after a restart either", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.reconcile = c.reconciler(c.traffic)
		c.traffic.reset()
		_, err := c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.traffic.written()).To(BeEmpty())
	})

	template := func(s *v1alpha1.FtpServer) {
		s.Spec.Storage = v1alpha1.StorageSpec{VolumeClaimTemplate: &v1alpha1.VolumeClaimTemplate{
			Spec: claimSpec(corev1.ReadWriteMany), WhenDeleted: v1alpha1.RetentionDelete,
		}}
	}
	kinds := func() []client.Object {
		return []client.Object{
			&appsv1.Deployment{ObjectMeta: c.meta("files")},
			&corev1.Service{ObjectMeta: c.meta("files")},
			&networkingv1.NetworkPolicy{ObjectMeta: c.meta("files")},
			&corev1.Secret{ObjectMeta: c.meta("files-config")},
			&discoveryv1.EndpointSlice{ObjectMeta: c.meta("files-a")},
		}
	}

	It("makes anew what was deleted", func(ctx context.Context) {
		c.serve(ctx, c.files(template), "files-a")
		for _, object := range kinds() {
			if _, ok := object.(*appsv1.Deployment); ok {
				continue // its pods would belong to another Deployment: tested below
			}
			key := client.ObjectKeyFromObject(object)
			Expect(admin.Get(ctx, key, object)).To(Succeed())
			old := object.GetUID()
			Expect(admin.Delete(ctx, object)).To(Succeed())
			c.settle(ctx, "files")
			Expect(admin.Get(ctx, key, object)).To(Succeed(), "%T", object)
			Expect(object.GetUID()).NotTo(Equal(old))
		}
	})

	It("makes a deleted Deployment anew, while the ports of its pods stay theirs", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		held := c.pod(ctx, "files-a").Annotations[v1alpha1.PassivePortsAnnotation]
		Expect(admin.Delete(ctx, c.deployment(ctx, "files"))).To(Succeed())
		Expect(admin.DeleteAllOf(ctx, &appsv1.ReplicaSet{}, client.InNamespace(c.namespace))).To(Succeed())
		c.terminate(ctx, "files-a")
		c.settle(ctx, "files")
		c.makePod(ctx, "files", "files-b")
		c.settle(ctx, "files")

		Expect(c.pod(ctx, "files-a").Annotations).To(HaveKeyWithValue(v1alpha1.PassivePortsAnnotation, held))
		Expect(c.slice(ctx, "files-a").Endpoints[0].Conditions.Terminating).To(HaveValue(BeTrue()))
		expectDistinctPorts(ctx, c)
		Expect(c.pod(ctx, "files-b").Annotations).To(HaveKey(v1alpha1.PassivePortsAnnotation))
	})

	DescribeTable("takes edits by hand back",
		func(ctx context.Context, name string, object client.Object, change func(client.Object), good func(g Gomega, o client.Object)) {
			c.serve(ctx, c.files(template), "files-a")
			object.SetNamespace(c.namespace)
			object.SetName(name)
			edit(ctx, object, change)
			c.settle(ctx, "files")
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			good(NewWithT(GinkgoT()), object)
		},
		Entry("Deployment: replicas", "files", &appsv1.Deployment{},
			func(o client.Object) { o.(*appsv1.Deployment).Spec.Replicas = new(int32(5)) },
			func(g Gomega, o client.Object) {
				g.Expect(o.(*appsv1.Deployment).Spec.Replicas).To(HaveValue(Equal(int32(1))))
			}),
		Entry("Deployment: image", "files", &appsv1.Deployment{},
			func(o client.Object) { o.(*appsv1.Deployment).Spec.Template.Spec.Containers[0].Image = "evil" },
			func(g Gomega, o client.Object) {
				g.Expect(o.(*appsv1.Deployment).Spec.Template.Spec.Containers[0].Image).To(Equal(image))
			}),
		Entry("Service: a port taken out", "files", &corev1.Service{},
			func(o client.Object) { s := o.(*corev1.Service); s.Spec.Ports = s.Spec.Ports[:5] },
			func(g Gomega, o client.Object) { g.Expect(o.(*corev1.Service).Spec.Ports).To(HaveLen(11)) }),
		Entry("Service: a selector", "files", &corev1.Service{},
			func(o client.Object) { o.(*corev1.Service).Spec.Selector = map[string]string{"a": "b"} },
			func(g Gomega, o client.Object) { g.Expect(o.(*corev1.Service).Spec.Selector).To(BeEmpty()) }),
		Entry("NetworkPolicy: open to all", "files", &networkingv1.NetworkPolicy{},
			func(o client.Object) {
				o.(*networkingv1.NetworkPolicy).Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
			},
			func(g Gomega, o client.Object) {
				g.Expect(o.(*networkingv1.NetworkPolicy).Spec.Ingress[0].Ports).NotTo(BeEmpty())
			}),
		Entry("Secret: its data", "files-config", &corev1.Secret{},
			func(o client.Object) { o.(*corev1.Secret).Data["ftpd.yaml"] = []byte("nonsense: [") },
			func(g Gomega, o client.Object) {
				g.Expect(string(o.(*corev1.Secret).Data["ftpd.yaml"])).To(ContainSubstring("alice"))
			}),
		Entry("EndpointSlice: another address", "files-a", &discoveryv1.EndpointSlice{},
			func(o client.Object) { o.(*discoveryv1.EndpointSlice).Endpoints[0].Addresses = []string{"10.9.9.9"} },
			func(g Gomega, o client.Object) {
				g.Expect(o.(*discoveryv1.EndpointSlice).Endpoints[0].Addresses).To(Equal([]string{"10.1.0.1"}))
			}),
		Entry("EndpointSlice: its labels", "files-a", &discoveryv1.EndpointSlice{},
			func(o client.Object) { delete(o.GetLabels(), discoveryv1.LabelServiceName) },
			func(g Gomega, o client.Object) {
				g.Expect(o.GetLabels()).To(HaveKeyWithValue(discoveryv1.LabelServiceName, "files"))
			}),
		Entry("Service: our label", "files", &corev1.Service{},
			func(o client.Object) { delete(o.GetLabels(), v1alpha1.ServerLabel) },
			func(g Gomega, o client.Object) {
				g.Expect(o.GetLabels()).To(HaveKeyWithValue(v1alpha1.ServerLabel, "files"))
			}),
		Entry("Pod: its passive ports", "files-a", &corev1.Pod{},
			func(o client.Object) { o.GetAnnotations()[v1alpha1.PassivePortsAnnotation] = "30049" },
			func(g Gomega, o client.Object) {
				g.Expect(o.GetAnnotations()).To(HaveKeyWithValue(v1alpha1.PassivePortsAnnotation, HavePrefix("30040-")))
			}),
		Entry("Pod: its configuration's hash", "files-a", &corev1.Pod{},
			func(o client.Object) { delete(o.GetAnnotations(), v1alpha1.ConfigHashAnnotation) },
			func(g Gomega, o client.Object) {
				g.Expect(o.GetAnnotations()).To(HaveKey(v1alpha1.ConfigHashAnnotation))
			}),
	)

	It("leaves what others own", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		before := c.service(ctx, "files")
		for _, object := range kinds() {
			edit(ctx, object, func(o client.Object) {
				annotations := o.GetAnnotations()
				if annotations == nil {
					annotations = map[string]string{}
				}
				annotations["example.com/mine"] = "stays"
				o.SetAnnotations(annotations)
				o.GetLabels()["example.com/mine"] = "stays"
			})
		}
		c.settle(ctx, "files")
		c.password(ctx, "alice", "another") // makes the operator write
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Active.Enabled = true; s.Spec.Service.Port = 2100 })
		c.settle(ctx, "files")
		for _, object := range kinds() {
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			Expect(object.GetAnnotations()).To(HaveKeyWithValue("example.com/mine", "stays"), "%T", object)
			Expect(object.GetLabels()).To(HaveKeyWithValue("example.com/mine", "stays"), "%T", object)
		}
		after := c.service(ctx, "files")
		Expect(after.Spec.ClusterIP).To(Equal(before.Spec.ClusterIP))
		Expect(after.Spec.Ports[1].NodePort).To(Equal(before.Spec.Ports[1].NodePort))
		Expect(after.Spec.Ports[0].Port).To(Equal(int32(2100)))
	})

	It("removes what is no longer wanted", func(ctx context.Context) {
		c.serve(ctx, c.files(func(s *v1alpha1.FtpServer) { s.Spec.Service.Annotations = map[string]string{"lb": "x"} }), "files-a")
		Expect(c.service(ctx, "files").Annotations).To(HaveKeyWithValue("lb", "x"))
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Annotations = nil
			s.Spec.NetworkPolicy.Enabled = new(false)
		})
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Annotations).NotTo(HaveKey("lb"))
		Expect(admin.Get(ctx, c.key("files"), &networkingv1.NetworkPolicy{})).NotTo(Succeed())
	})

	DescribeTable("does not adopt somebody else's object",
		func(ctx context.Context, object client.Object, name string) {
			object.SetNamespace(c.namespace)
			object.SetName(name)
			Expect(admin.Create(ctx, object)).To(Succeed())
			before := object.GetResourceVersion()
			c.password(ctx, "alice", "secret")
			Expect(admin.Create(ctx, c.files(template))).To(Succeed())
			after := c.settle(ctx, "files")
			Expect(after).To(BeNumerically(">=", 30e9), "no hot loop")

			Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			Expect(object.GetResourceVersion()).To(Equal(before), "it was written")
			stalled := c.condition(ctx, "files", v1alpha1.ConditionStalled)
			Expect(stalled.Status).To(Equal(metav1.ConditionTrue))
			Expect(stalled.Reason).To(Equal("ChildConflict"))
			Expect(stalled.Message).To(And(ContainSubstring(c.namespace+"/"+name), ContainSubstring("delete that object")))
			Expect(kstatusOf(ctx, c, "files")).To(Equal("Failed"))
			expectEvent(c, "ChildConflict")

			Expect(admin.Delete(ctx, object)).To(Succeed())
			Expect(client.IgnoreNotFound(removeFinalizers(ctx, object))).To(Succeed())
			c.settle(ctx, "files")
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed(), "it is made once the name is free")
			Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).NotTo(Equal(metav1.ConditionTrue))
		},
		Entry("Deployment", &appsv1.Deployment{Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "x", Image: "x"}}},
			},
		}}, "files"),
		Entry("Service", &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}, "files"),
		Entry("config Secret", &corev1.Secret{}, "files-config"),
		Entry("claim", &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   claimSpecForTables.Resources,
		}}, "files-data"),
		Entry("NetworkPolicy", &networkingv1.NetworkPolicy{}, "files"),
		Entry("NetworkPolicy that has our label and another controller", &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{
			Labels:          map[string]string{v1alpha1.ServerLabel: "files"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "other", UID: "1-2-3", Controller: new(true)}},
		}}, "files"),
		Entry("Service that has another server's label", &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{v1alpha1.ServerLabel: "other"}},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		}, "files"),
	)

	It("mounts no Secret that is not its own", func(ctx context.Context) {
		Expect(admin.Create(ctx, &corev1.Secret{ObjectMeta: c.meta("files-config")})).To(Succeed())
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files())).To(Succeed())
		c.settle(ctx, "files")
		Expect(admin.Get(ctx, c.key("files"), &appsv1.Deployment{})).NotTo(Succeed())
	})

	It("does not publish to a Service that is not its own", func(ctx context.Context) {
		Expect(admin.Create(ctx, &corev1.Service{ObjectMeta: c.meta("files"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}})).To(Succeed())
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files())).To(Succeed())
		c.settle(ctx, "files")
		c.makePod(ctx, "files", "files-a")
		c.startPod(ctx, "files-a")
		c.settle(ctx, "files")
		var slices discoveryv1.EndpointSliceList
		Expect(admin.List(ctx, &slices, client.InNamespace(c.namespace))).To(Succeed())
		Expect(slices.Items).To(BeEmpty())
	})

	It("takes up a claim that an earlier server of its name left", func(ctx context.Context) {
		keep := func(s *v1alpha1.FtpServer) {
			template(s)
			s.Spec.Storage.VolumeClaimTemplate.WhenDeleted = v1alpha1.RetentionRetain
		}
		c.serve(ctx, c.files(keep))
		claim := get(ctx, c, "files-data", &corev1.PersistentVolumeClaim{})
		Expect(claim.OwnerReferences).To(BeEmpty())
		Expect(admin.Delete(ctx, c.server(ctx, "files"))).To(Succeed())
		_, err := c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		for _, object := range kinds()[:4] { // as the garbage collector would
			Expect(admin.Delete(ctx, object)).To(Succeed())
		}
		Expect(admin.Create(ctx, c.files(keep))).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(BeEquivalentTo("absent"))
		Expect(get(ctx, c, "files-data", &corev1.PersistentVolumeClaim{}).UID).To(Equal(claim.UID))
	})

	It("touches nothing while suspended", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Suspend = true; s.Spec.Service.Port = 2100 })
		edit(ctx, &corev1.Service{ObjectMeta: c.meta("files")}, func(s *corev1.Service) { s.Spec.Ports = s.Spec.Ports[:3] })
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(3))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionSuspended).Status).To(Equal(metav1.ConditionTrue))
		server := c.server(ctx, "files")
		Expect(server.Status.ObservedGeneration).To(BeNumerically("<", server.Generation))

		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Suspend = false })
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(11))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionSuspended).Status).To(Equal(metav1.ConditionFalse))
		server = c.server(ctx, "files")
		Expect(server.Status.ObservedGeneration).To(Equal(server.Generation))
	})

	It("shows what the API server refuses, with a hint", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) {
			s.Spec.Service.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
		}))).To(Succeed())
		Expect(c.settle(ctx, "files")).To(BeNumerically(">=", 30e9), "no hot loop")
		ready := c.condition(ctx, "files", v1alpha1.ConditionReady)
		Expect(ready.Status).To(Equal(metav1.ConditionFalse))
		Expect(ready.Reason).To(Equal("ChildRejected"))
		Expect(ready.Message).To(And(ContainSubstring("ipFamilyPolicy"), ContainSubstring("change the spec or what refuses it")))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(Equal(metav1.ConditionTrue))
	})
})
