package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
)

var _ = Describe("a range that grew and shrank back", func() {
	It("replaces the pods that hold ports outside of it", func(ctx context.Context) {
		c := newCluster(ctx)
		end := func(port int32) {
			GinkgoHelper()
			c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Passive.PortRange.End = port })
			c.settle(ctx, "files")
		}
		c.serve(ctx, c.files(), "files-a")
		end(30059)
		for _, name := range []string{"files-b", "files-c", "files-d"} {
			c.makePod(ctx, "files", name)
			c.settle(ctx, "files")
		}
		end(30049)
		// The range is the same as before, and still the Deployment must roll.
		Expect(c.deployment(ctx, "files").Spec.Template.Annotations).To(HaveKeyWithValue(v1alpha1.PassiveRangeAnnotation, "30040-30049 (2)"))
	})
})

var _ = Describe("routing", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	ports := func(ctx context.Context, pod string) string {
		GinkgoHelper()
		return c.pod(ctx, pod).Annotations[v1alpha1.PassivePortsAnnotation]
	}

	It("gives every pod ports of its own while the server is scaled", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)), "files-a", "files-b")
		expectDistinctPorts(ctx, c)
		a, b := ports(ctx, "files-a"), ports(ctx, "files-b")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Replicas = ptr.To[int32](3) })
		c.settle(ctx, "files")
		Expect(c.deployment(ctx, "files").Spec.Replicas).To(HaveValue(Equal(int32(3))))
		c.makePod(ctx, "files", "files-c")
		c.run(ctx, "files", "files-a", "files-b", "files-c")
		expectDistinctPorts(ctx, c)
		Expect(ports(ctx, "files-a")).To(Equal(a))
		Expect(ports(ctx, "files-b")).To(Equal(b))
		Expect(ports(ctx, "files-c")).NotTo(BeEmpty())
		Expect(c.server(ctx, "files").Status.ReplicasSummary).To(Equal("3/3"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
		Expect(c.service(ctx, "files").Spec.ExternalTrafficPolicy).To(Equal(corev1.ServiceExternalTrafficPolicyCluster))
	})

	It("holds a pod back from readiness until its slice leads to it", func(ctx context.Context) {
		c.serve(ctx, c.files())
		c.makePod(ctx, "files", "files-a")
		c.settle(ctx, "files")
		Expect(ports(ctx, "files-a")).NotTo(BeEmpty())
		Expect(c.slice(ctx, "files-a").Endpoints[0].Conditions.Ready).To(HaveValue(BeFalse()))
		Expect(podConditionTrue(c.pod(ctx, "files-a"), v1alpha1.RoutedConditionType)).To(BeFalse())
		c.startPod(ctx, "files-a")
		c.settle(ctx, "files")
		Expect(c.slice(ctx, "files-a").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()))
		Expect(podConditionTrue(c.pod(ctx, "files-a"), v1alpha1.RoutedConditionType)).To(BeTrue())
	})

	It("leads sessions to a new pod only when its passive ports are known everywhere, unless there is no other", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)), "files-a")
		Expect(c.warmingUp(ctx)).To(BeEmpty())
		c.makePod(ctx, "files", "files-b")
		c.settle(ctx, "files")
		Expect(c.warmingUp(ctx)).To(BeEmpty(), "a pod that is not ready")
		c.startPod(ctx, "files-b")
		began := c.clock.Now()
		for range 5 { // the number of passes meanwhile does not matter
			result, err := c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
			Expect(result.RequeueAfter).To(And(BeNumerically(">", 0), BeNumerically("<=", 2*time.Second)))
			Expect(c.warmingUp(ctx)).To(Equal([]string{"files-b"}))
			Expect(podConditionTrue(c.pod(ctx, "files-b"), v1alpha1.RoutedConditionType)).To(BeFalse())
			c.clock.SetTime(c.clock.Now().Add(300 * time.Millisecond))
		}
		c.settle(ctx, "files")
		Expect(c.clock.Now().Sub(began)).To(Equal(2 * time.Second))
		Expect(c.warmingUp(ctx)).To(BeEmpty())
		Expect(podConditionTrue(c.pod(ctx, "files-b"), v1alpha1.RoutedConditionType)).To(BeTrue())

		By("and an operator that comes anew leaves it as it is")
		c.reconcile = c.reconciler(c.traffic)
		_, err := c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.warmingUp(ctx)).To(BeEmpty())

		By("but at once, if the others end meanwhile")
		c.makePod(ctx, "files", "files-c")
		c.settle(ctx, "files")
		c.startPod(ctx, "files-c")
		_, err = c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.warmingUp(ctx)).To(Equal([]string{"files-c"}))
		c.terminate(ctx, "files-a")
		c.terminate(ctx, "files-b")
		for range 2 {
			_, err = c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(c.warmingUp(ctx)).To(BeEmpty())
	})

	It("withdraws a pod that ends before anything else, whatever becomes of that", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)), "files-a", "files-b")
		c.terminate(ctx, "files-a")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Service.Annotations = map[string]string{"example.com/new": "yes"} })
		c.traffic.failPath, c.traffic.fault = "/services/files", fault{code: http.StatusInternalServerError}
		_, err := c.pass(ctx, "files")
		Expect(err).To(HaveOccurred())
		conditions := c.slice(ctx, "files-a").Endpoints[0].Conditions
		Expect(conditions.Ready).To(HaveValue(BeFalse()))
		Expect(conditions.Serving).To(HaveValue(BeTrue()))
		Expect(conditions.Terminating).To(HaveValue(BeTrue()))
		Expect(c.slice(ctx, "files-b").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()))
		c.traffic.failPath = ""
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Annotations).To(HaveKey("example.com/new"))
	})

	It("lets a draining pod keep its passive ports until it is gone", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		held := ports(ctx, "files-a")
		c.terminate(ctx, "files-a")
		c.setPod(ctx, "files-a", func(p *corev1.Pod) { setPodCondition(p, corev1.ContainersReady, corev1.ConditionFalse) })
		c.makePod(ctx, "files", "files-b")
		c.run(ctx, "files", "files-b")

		draining := c.slice(ctx, "files-a").Endpoints[0].Conditions
		Expect(draining.Ready).To(HaveValue(BeFalse()))
		Expect(draining.Serving).To(HaveValue(BeTrue()), "its daemon still serves its sessions")
		Expect(draining.Terminating).To(HaveValue(BeTrue()))
		Expect(ports(ctx, "files-a")).To(Equal(held))
		expectDistinctPorts(ctx, c)
		Expect(c.server(ctx, "files").Status.Pods).To(ContainElement(
			v1alpha1.PodStatus{Name: "files-a", Node: "node-a", State: v1alpha1.PodDraining, PassivePorts: held}))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))

		c.bury(ctx, "files-a")
		c.settle(ctx, "files")
		Expect(apierrors.IsNotFound(admin.Get(ctx, c.key("files-a"), &discoveryv1.EndpointSlice{}))).To(BeTrue())
		Expect(c.server(ctx, "files").Status.Pods).To(HaveLen(1))
	})

	// The node lifecycle controller sets the pod's Ready to false, and nothing else.
	It("leads new sessions past a pod whose node is lost, which keeps its passive ports", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)), "files-a", "files-b")
		held := ports(ctx, "files-a")
		c.setPod(ctx, "files-a", func(p *corev1.Pod) { setPodCondition(p, corev1.PodReady, corev1.ConditionFalse) })
		c.settle(ctx, "files")
		lost := c.slice(ctx, "files-a").Endpoints[0].Conditions
		Expect(lost.Ready).To(HaveValue(BeFalse()))
		Expect(lost.Serving).To(HaveValue(BeTrue()), "clients may reach it all the same")
		Expect(lost.Terminating).To(HaveValue(BeTrue()))
		Expect(ports(ctx, "files-a")).To(Equal(held))
		Expect(c.slice(ctx, "files-b").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()))

		c.startPod(ctx, "files-a")
		c.settle(ctx, "files")
		Expect(c.slice(ctx, "files-a").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()), "its node is back")
	})

	It("is not misled by the moment between the opened gate and the pod's readiness", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.setPod(ctx, "files-a", func(p *corev1.Pod) {
			setPodCondition(p, corev1.PodReady, corev1.ConditionFalse)
			for i := range p.Status.Conditions {
				if p.Status.Conditions[i].Type == corev1.PodReady {
					p.Status.Conditions[i].Reason = "ReadinessGatesNotReady"
				}
			}
		})
		c.settle(ctx, "files")
		Expect(c.slice(ctx, "files-a").Endpoints[0].Conditions.Ready).To(HaveValue(BeTrue()))
	})

	It("drops the route to a pod that has ended", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.setPod(ctx, "files-a", func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed })
		c.settle(ctx, "files")
		Expect(apierrors.IsNotFound(admin.Get(ctx, c.key("files-a"), &discoveryv1.EndpointSlice{}))).To(BeTrue())
	})

	It("neither plans nor publishes pods whose owners are not ours", func(ctx context.Context) {
		c.serve(ctx, c.files())
		d := c.deployment(ctx, "files")
		for i, owner := range [][]metav1.OwnerReference{
			nil,
			{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "files-1", UID: "made-up", Controller: new(true)}},
		} {
			p := &corev1.Pod{ObjectMeta: *d.Spec.Template.ObjectMeta.DeepCopy(), Spec: *d.Spec.Template.Spec.DeepCopy()}
			p.Namespace, p.Name, p.OwnerReferences = c.namespace, fmt.Sprintf("intruder-%d", i), owner
			Expect(admin.Create(ctx, p)).To(Succeed())
			c.setPod(ctx, p.Name, func(p *corev1.Pod) { p.Status.PodIP = "10.6.6.6"; p.Status.PodIPs = []corev1.PodIP{{IP: "10.6.6.6"}} })
		}
		c.replicaSet(ctx, d)
		c.settle(ctx, "files")
		for i := range 2 {
			name := fmt.Sprintf("intruder-%d", i)
			Expect(ports(ctx, name)).To(BeEmpty())
			Expect(apierrors.IsNotFound(admin.Get(ctx, c.key(name), &discoveryv1.EndpointSlice{}))).To(BeTrue())
		}
		Expect(c.server(ctx, "files").Status.Pods).To(BeEmpty())
	})

	It("moves to a changed range, carrying both until the old holders are gone", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30060, End: 30069} })
		c.settle(ctx, "files")
		Expect(c.deployment(ctx, "files").Spec.Template.Annotations).To(HaveKeyWithValue(v1alpha1.PassiveRangeAnnotation, "30060-30069"))
		Expect(len(c.service(ctx, "files").Spec.Ports)).To(BeNumerically(">", 11))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionPassivePortsAssigned).Reason).To(Equal("RangeChanging"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionFalse))

		c.makePod(ctx, "files", "files-b")
		c.run(ctx, "files", "files-a", "files-b")
		Expect(ports(ctx, "files-b")).To(HavePrefix("30060"))
		c.terminate(ctx, "files-a")
		c.settle(ctx, "files")
		Expect(len(c.service(ctx, "files").Spec.Ports)).To(BeNumerically(">", 11), "the old pod drains")
		c.bury(ctx, "files-a")
		c.run(ctx, "files", "files-b")
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(11))
		Expect(c.server(ctx, "files").Status.PassiveRange).To(Equal("30060-30069"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
	})

	It("rolls nothing when the range grows", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		before := c.deployment(ctx, "files").Generation
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Passive.PortRange.End = 30059 })
		c.settle(ctx, "files")
		Expect(c.deployment(ctx, "files").Generation).To(Equal(before))
		Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(21))
	})

	It("says when there are too few ports", func(ctx context.Context) {
		c.serve(ctx, c.files(func(s *v1alpha1.FtpServer) { s.Spec.Passive.PortRange.End = 30041 }))
		for _, name := range []string{"files-a", "files-b", "files-c"} {
			c.makePod(ctx, "files", name)
		}
		c.settle(ctx, "files")
		expectDistinctPorts(ctx, c)
		full := c.condition(ctx, "files", v1alpha1.ConditionPassivePortsAssigned)
		Expect(full.Reason).To(Equal("NoFreePorts"))
		Expect(full.Message).To(ContainSubstring("widen spec.passive.portRange"))
	})

	// One operator reads and is blocked before its first write. Meanwhile another operator, which sees a second pod
	// and so divides the ports differently, finishes its pass.
	It("never gives a port twice, not even with two operators at once", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(2)))
		c.makePod(ctx, "files", "files-a")
		slow := &traffic{namespace: c.namespace, beforeWrite: func() {
			defer GinkgoRecover()
			c.makePod(ctx, "files", "files-b")
			c.settle(ctx, "files")
			Expect(ports(ctx, "files-b")).NotTo(BeEmpty())
		}}
		old := c.reconciler(slow)
		_, _ = old.Reconcile(ctx, requestFor(c, "files"))
		Expect(slow.written()).To(BeEmpty(), "what it would have written is out of date")
		expectDistinctPorts(ctx, c)
		a, b := ports(ctx, "files-a"), ports(ctx, "files-b")
		for range 3 {
			_, err := old.Reconcile(ctx, requestFor(c, "files"))
			Expect(err).NotTo(HaveOccurred())
		}
		expectDistinctPorts(ctx, c)
		Expect(ports(ctx, "files-a")).To(Equal(a))
		Expect(ports(ctx, "files-b")).To(Equal(b))
	})

	It("stays right while two operators work at the same time", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(4)))
		both := []*controllers.Reconciler{c.reconciler(&traffic{namespace: c.namespace}), c.reconciler(&traffic{namespace: c.namespace})}
		for round := range 4 {
			c.makePod(ctx, "files", fmt.Sprintf("files-%d", round))
			var wait sync.WaitGroup
			for _, r := range both {
				wait.Add(1)
				go func() {
					defer GinkgoRecover()
					defer wait.Done()
					for range 4 {
						_, _ = r.Reconcile(ctx, requestFor(c, "files"))
					}
				}()
			}
			wait.Wait()
			expectDistinctPorts(ctx, c)
		}
		c.settle(ctx, "files")
		expectDistinctPorts(ctx, c)
		for round := range 4 {
			Expect(ports(ctx, fmt.Sprintf("files-%d", round))).NotTo(BeEmpty())
		}
	})

	Describe("from a cache that lags", func() {
		It("never gives a port twice, not even after a restart", func(ctx context.Context) {
			c.serve(ctx, c.files(replicas(2)))
			c.makePod(ctx, "files", "files-a")
			lagging := &laggingClient{Client: likeCache(c.client(c.traffic))}
			lagging.freeze(ctx, c, "files") // it knows a pod without ports, and never sees a change
			c.makePod(ctx, "files", "files-b")
			c.settle(ctx, "files")
			a, b := ports(ctx, "files-a"), ports(ctx, "files-b")
			Expect(a).NotTo(BeEmpty())
			Expect(b).NotTo(BeEmpty())

			r := controllers.New(c.options(lagging, c.client(c.traffic)))
			for range 3 {
				_, _ = r.Reconcile(ctx, requestFor(c, "files"))
			}
			Expect(ports(ctx, "files-a")).To(Equal(a))
			Expect(ports(ctx, "files-b")).To(Equal(b))
		})

		It("keeps the route to a pod that the cache does not know", func(ctx context.Context) {
			c.serve(ctx, c.files(), "files-a")
			before := c.slice(ctx, "files-a")
			lagging := &laggingClient{Client: likeCache(c.client(c.traffic))}
			lagging.freeze(ctx, c, "files")
			lagging.pods.Items = nil
			r := controllers.New(c.options(lagging, c.client(c.traffic)))
			for range 3 {
				_, err := r.Reconcile(ctx, requestFor(c, "files"))
				Expect(err).NotTo(HaveOccurred())
			}
			Expect(c.slice(ctx, "files-a").UID).To(Equal(before.UID))
			Expect(c.server(ctx, "files").Status.Pods).To(HaveLen(1))
		})

		It("writes nothing twice", func(ctx context.Context) {
			c.serve(ctx, c.files(), "files-a")
			lagging := &laggingClient{Client: likeCache(c.client(c.traffic))}
			r := controllers.New(c.options(lagging, c.client(c.traffic)))
			lagging.freeze(ctx, c, "files")
			edit(ctx, c.service(ctx, "files"), func(s *corev1.Service) { s.Spec.Ports = s.Spec.Ports[:3] })
			lagging.freeze(ctx, c, "files") // it sees the edit, but never that the edit was reverted
			c.password(ctx, "alice", "changed")
			_, err := r.Reconcile(ctx, requestFor(c, "files"))
			Expect(err).NotTo(HaveOccurred())
			Expect(c.service(ctx, "files").Spec.Ports).To(HaveLen(11))
			c.traffic.reset()
			_, err = r.Reconcile(ctx, requestFor(c, "files"))
			Expect(err).NotTo(HaveOccurred())
			Expect(c.traffic.written()).To(BeEmpty())
		})
	})
})

var _ = Describe("what is relied on of the API server", func() {
	It("writes nothing to an object of another UID", func(ctx context.Context) {
		c := newCluster(ctx)
		c.serve(ctx, c.files(), "files-a")
		patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"uid":"another","annotations":{"a":"b"}}}`))
		for _, object := range []client.Object{c.pod(ctx, "files-a"), c.service(ctx, "files")} {
			version := object.GetResourceVersion()
			err := admin.Patch(ctx, object, patch)
			Expect(err).To(MatchError(ContainSubstring("metadata.uid")))
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			Expect(object.GetResourceVersion()).To(Equal(version))
		}
		service := coreac.Service("files", c.namespace).WithUID("another").WithAnnotations(map[string]string{"a": "b"})
		Expect(admin.Apply(ctx, service, client.FieldOwner("x"))).To(MatchError(ContainSubstring("metadata.uid")))
		gone := coreac.Service("not-there", c.namespace).WithUID("another").WithSpec(coreac.ServiceSpec().WithClusterIP("None"))
		Expect(apierrors.IsConflict(admin.Apply(ctx, gone, client.FieldOwner("x")))).To(BeTrue())
	})

	It("refuses a status that is applied to a server read before its last change", func(ctx context.Context) {
		c := newCluster(ctx)
		c.serve(ctx, c.files(), "files-a")
		u := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"users": int64(9)}}}
		u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("FtpServer"))
		u.SetNamespace(c.namespace)
		u.SetName("files")
		u.SetResourceVersion(c.server(ctx, "files").ResourceVersion)
		edit(ctx, c.files(), func(s *v1alpha1.FtpServer) { s.Annotations = map[string]string{"a": "b"} })
		err := admin.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("x"), client.ForceOwnership)
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "%v", err)
	})
})
