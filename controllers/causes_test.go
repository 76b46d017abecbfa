package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// template declares storage for which the operator creates a claim.
func template(class *string, size string) func(*v1alpha1.FtpServer) {
	return func(s *v1alpha1.FtpServer) {
		spec := claimSpec(corev1.ReadWriteMany)
		spec.StorageClassName = class
		spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse(size)
		s.Spec.Storage = v1alpha1.StorageSpec{VolumeClaimTemplate: &v1alpha1.VolumeClaimTemplate{Spec: spec}}
	}
}

// storageClass creates a StorageClass that is deleted with the test.
func storageClass(ctx context.Context, name string, change func(*storagev1.StorageClass)) {
	GinkgoHelper()
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: "example.com/disks"}
	change(class)
	Expect(admin.Create(ctx, class)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, class)).To(Succeed()) })
}

// bind gives the server's claim a volume of the requested size, as the cluster would.
func (c *cluster) bind(ctx context.Context, name string) {
	GinkgoHelper()
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: c.meta(name)}
	edit(ctx, claim, func(claim *corev1.PersistentVolumeClaim) { claim.Spec.VolumeName = "volume-of-" + c.namespace })
	claim.Status.Phase = corev1.ClaimBound
	claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]}
	claim.Status.AccessModes = claim.Spec.AccessModes
	Expect(admin.Status().Update(ctx, claim)).To(Succeed())
}

var _ = Describe("a server that does not get ready", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })
	ready := func(ctx context.Context) *metav1.Condition {
		GinkgoHelper()
		return c.condition(ctx, "files", v1alpha1.ConditionReady)
	}
	stalled := func(ctx context.Context) metav1.ConditionStatus {
		GinkgoHelper()
		return c.condition(ctx, "files", v1alpha1.ConditionStalled).Status
	}
	// start creates a server with a pod that has no container yet.
	start := func(ctx context.Context, change ...func(*v1alpha1.FtpServer)) {
		GinkgoHelper()
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(change...))).To(Succeed())
		c.settle(ctx, "files")
		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.10"})
		c.makePod(ctx, "files", "files-a")
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("Progressing"))
		Expect(c.sent()).NotTo(ContainElement(HavePrefix("Warning")), "a healthy start")
	}

	DescribeTable("names what its pod lacks, at once and with one event",
		func(ctx context.Context, change func(*corev1.Pod), reason, part string) {
			start(ctx)
			c.setPod(ctx, "files-a", change)
			c.settle(ctx, "files")
			Expect(ready(ctx).Reason).To(Equal(reason))
			Expect(ready(ctx).Message).To(And(ContainSubstring("pod files-a"), ContainSubstring(part)))
			Expect(c.sent()).To(ConsistOf(HavePrefix("Warning " + reason)))
			c.settle(ctx, "files")
			Expect(c.sent()).To(BeEmpty())

			By("its end")
			c.setPod(ctx, "files-a", func(p *corev1.Pod) { p.Status.Conditions, p.Status.ContainerStatuses = nil, nil })
			c.run(ctx, "files", "files-a")
			Expect(ready(ctx).Status).To(Equal(metav1.ConditionTrue))
			Expect(c.server(ctx, "files").Status.Conditions[0].Type).To(Equal(v1alpha1.ConditionReady), "as kubectl describe shows them")
		},
		Entry("a node", unschedulable("0/2 nodes are available: 2 Insufficient memory."), "Unschedulable", "Insufficient memory"),
		Entry("an image that can't be pulled", containerWaits("ErrImagePull", "no such image"), "ImagePullBackOff", "no such image"),
		Entry("an image, while the kubelet waits to pull it again", containerWaits("ImagePullBackOff", "Back-off pulling image"), "ImagePullBackOff", "Back-off"),
		Entry("an image with a good name", containerWaits("InvalidImageName", "couldn't parse image name"), "InvalidImageName", "couldn't parse"),
		Entry("what its container refers to", containerWaits("CreateContainerConfigError", "secret not found"), "CreateContainerConfigError", "secret not found"),
		Entry("a daemon that stays up", func(p *corev1.Pod) {
			containerWaits("CrashLoopBackOff", "back-off 5m0s restarting")(p)
			p.Status.ContainerStatuses[0].RestartCount = 3
			p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}
		}, "CrashLoopBackOff", "exit code 137 (OOMKilled)"),
	)

	It("names a quota that its pods exceed", func(ctx context.Context) {
		start(ctx)
		d := c.deployment(ctx, "files")
		d.Status.Conditions = []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
			Message: `pods "files-x" is forbidden: exceeded quota: small`,
		}}
		Expect(admin.Status().Update(ctx, d)).To(Succeed())
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("FailedCreate"))
		Expect(ready(ctx).Message).To(ContainSubstring("exceeded quota: small"))
		Expect(c.sent()).To(ConsistOf(HavePrefix("Warning FailedCreate")))
	})

	It("names a container that is never created, after a while", func(ctx context.Context) {
		start(ctx)
		c.setPod(ctx, "files-a", func(p *corev1.Pod) {
			containerWaits("ContainerCreating", "")(p)
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(c.clock.Now())}}
		})
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("Progressing"))
		c.clock.SetTime(c.clock.Now().Add(2 * time.Minute))
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("ContainerCreating"))
		Expect(ready(ctx).Message).To(ContainSubstring("kubectl describe pod -n " + c.namespace + " files-a"))
		Expect(c.sent()).To(ConsistOf(HavePrefix("Warning ContainerCreating")))
	})

	It("names a load balancer class that nobody serves, after a while, and can be given another one", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) { s.Spec.Service.LoadBalancerClass = new("example.com/none") }))).To(Succeed())
		c.settle(ctx, "files")
		c.makePod(ctx, "files", "files-a")
		c.run(ctx, "files", "files-a")
		Expect(ready(ctx).Reason).To(Equal("LoadBalancerPending"))
		Expect(c.sent()).NotTo(ContainElement(HavePrefix("Warning")))

		c.clock.SetTime(c.clock.Now().Add(3 * time.Minute))
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("NoLoadBalancer"))
		Expect(ready(ctx).Message).To(And(ContainSubstring("loadBalancerClass example.com/none"), ContainSubstring("kubectl describe service -n "+c.namespace+" files")))
		Expect(c.sent()).To(ConsistOf(HavePrefix("Warning NoLoadBalancer")))

		By("the remedy: another type for a moment, and another class")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Type, s.Spec.Service.LoadBalancerClass = corev1.ServiceTypeClusterIP, nil
		})
		c.settle(ctx, "files")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Type, s.Spec.Service.LoadBalancerClass = corev1.ServiceTypeLoadBalancer, new("example.com/served")
		})
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.LoadBalancerClass).To(HaveValue(Equal("example.com/served")))
		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.11"})
		c.run(ctx, "files", "files-a")
		Expect(ready(ctx).Status).To(Equal(metav1.ConditionTrue), ready(ctx).Message)

		By("the other remedy: node ports")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Type, s.Spec.Service.LoadBalancerClass = corev1.ServiceTypeNodePort, nil
		})
		c.settle(ctx, "files")
		Expect(c.service(ctx, "files").Spec.Type).To(Equal(corev1.ServiceTypeNodePort))
	})

	It("names a storage class that does not exist, and can be given another one", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(template(new("no-such-class"), "1Gi")))).To(Succeed())
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("StorageClassMissing"))
		remove := "kubectl delete pvc -n " + c.namespace + " files-data"
		Expect(ready(ctx).Message).To(And(ContainSubstring("no-such-class does not exist"), ContainSubstring("storageClassName"), ContainSubstring(remove)))
		Expect(stalled(ctx)).To(Equal(metav1.ConditionTrue))
		expectEventAfterGrace(ctx, c, "Warning StorageClassMissing")

		By("the remedy, step by step")
		storageClass(ctx, "there-is-"+c.namespace, func(s *storagev1.StorageClass) {})
		c.update(ctx, "files", template(new("there-is-"+c.namespace), "1Gi"))
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("ClaimLeftOver"))
		Expect(ready(ctx).Message).To(And(HavePrefix("delete PersistentVolumeClaim files-data, it holds nothing"), ContainSubstring(remove), ContainSubstring(`storageClassName: "no-such-class"`)))
		c.deleteClaim(ctx, "files-data")
		c.settle(ctx, "files")
		Expect(stalled(ctx)).To(BeEquivalentTo("absent"))
		Expect(get(ctx, c, "files-data", &corev1.PersistentVolumeClaim{}).Spec.StorageClassName).To(HaveValue(Equal("there-is-" + c.namespace)))
		c.bind(ctx, "files-data")
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStorageReady).Reason).To(Equal("ClaimBound"))
	})

	It("names a volume that is never made, after a while", func(ctx context.Context) {
		class := "idle-" + c.namespace
		storageClass(ctx, class, func(s *storagev1.StorageClass) {})
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(template(&class, "1Gi")))).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStorageReady).Reason).To(Equal("ClaimPending"))
		Expect(c.sent()).NotTo(ContainElement(HavePrefix("Warning")))
		c.clock.SetTime(c.clock.Now().Add(3 * time.Minute))
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("VolumeNotProvisioned"))
		Expect(ready(ctx).Message).To(And(ContainSubstring("example.com/disks"), ContainSubstring("kubectl describe pvc -n "+c.namespace+" files-data")))
		expectEvent(c, "Warning VolumeNotProvisioned")
		c.bind(ctx, "files-data")
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStorageReady).Reason).To(Equal("ClaimBound"))
	})

	It("names the node that its pod lacks, where the volume waits for the pod", func(ctx context.Context) {
		class := "patient-" + c.namespace
		storageClass(ctx, class, func(s *storagev1.StorageClass) {
			s.VolumeBindingMode = new(storagev1.VolumeBindingWaitForFirstConsumer)
		})
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(template(&class, "1Gi")))).To(Succeed())
		c.settle(ctx, "files")
		Expect(ready(ctx).Message).To(ContainSubstring("waits for the first consumer"))
		c.makePod(ctx, "files", "files-a")
		c.setPod(ctx, "files-a", unschedulable("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."))
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("Unschedulable"))
	})
})

// deleteClaim deletes a claim, as a user and the cluster would.
func (c *cluster) deleteClaim(ctx context.Context, name string) {
	GinkgoHelper()
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: c.meta(name)}
	Expect(admin.Delete(ctx, claim)).To(Succeed())
	Expect(client.IgnoreNotFound(removeFinalizers(ctx, claim))).To(Succeed())
}

func unschedulable(message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message}}
	}
}

func containerWaits(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "ftpd", Image: image, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		}}
	}
}

var _ = Describe("a claim that can't be as declared", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })
	// serving creates a server with a bound claim of 10Gi, of a class that allows growth or does not.
	serving := func(ctx context.Context, grows bool) (class string) {
		GinkgoHelper()
		class = "disks-" + c.namespace
		storageClass(ctx, class, func(s *storagev1.StorageClass) { s.AllowVolumeExpansion = &grows })
		c.serve(ctx, c.files(template(&class, "10Gi")))
		c.bind(ctx, "files-data")
		c.settle(ctx, "files")
		c.makePod(ctx, "files", "files-a")
		c.run(ctx, "files", "files-a")
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
		c.sent()
		return class
	}
	storage := func(ctx context.Context) *metav1.Condition {
		GinkgoHelper()
		return c.condition(ctx, "files", v1alpha1.ConditionStorageReady)
	}

	It("for its class refuses the growth: serves on, and going back is taken", func(ctx context.Context) {
		class := serving(ctx, false)
		c.update(ctx, "files", template(&class, "20Gi"))
		c.settle(ctx, "files")
		Expect(storage(ctx).Reason).To(Equal("ClaimGrowthRefused"))
		Expect(storage(ctx).Message).To(And(ContainSubstring("from 10Gi to 20Gi"), ContainSubstring("requests.storage back to 10Gi"), ContainSubstring("allowVolumeExpansion")))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Failed"))
		expectEvent(c, "Warning ClaimGrowthRefused")

		c.update(ctx, "files", template(&class, "10Gi"))
		c.settle(ctx, "files")
		Expect(storage(ctx).Reason).To(Equal("ClaimBound"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})

	It("for its class refuses the growth: grows once the class allows it", func(ctx context.Context) {
		class := serving(ctx, false)
		c.update(ctx, "files", template(&class, "20Gi"))
		c.settle(ctx, "files")
		edit(ctx, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: class}}, func(s *storagev1.StorageClass) { s.AllowVolumeExpansion = new(true) })
		Eventually(func() string { // the API server's admission reads a cache of its own
			c.settle(ctx, "files")
			return storage(ctx).Reason
		}, soon).Should(Equal("ClaimBound"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})

	It("for its storage refuses the growth afterwards: going back to what it has is taken", func(ctx context.Context) {
		class := serving(ctx, true)
		c.update(ctx, "files", template(&class, "20Gi"))
		c.settle(ctx, "files")
		claim := get(ctx, c, "files-data", &corev1.PersistentVolumeClaim{})
		Expect(claim.Spec.Resources.Requests.Storage().String()).To(Equal("20Gi"))
		claim.Status.AllocatedResources = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}
		claim.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{
			corev1.ResourceStorage: corev1.PersistentVolumeClaimControllerResizeInfeasible,
		}
		Expect(admin.Status().Update(ctx, claim)).To(Succeed())
		c.settle(ctx, "files")
		Expect(storage(ctx).Reason).To(Equal("ClaimGrowthRefused"))
		Expect(storage(ctx).Message).To(ContainSubstring("requests.storage back to 10Gi"))

		By("the remedy: as much as the volume has")
		c.update(ctx, "files", template(&class, "10Gi"))
		c.settle(ctx, "files")
		Expect(storage(ctx).Reason).To(Equal("ClaimBound"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))

		By("or less of a growth, which Kubernetes lets the storage try")
		c.update(ctx, "files", template(&class, "11Gi"))
		c.settle(ctx, "files")
		claim = get(ctx, c, "files-data", claim)
		Expect(claim.Spec.Resources.Requests.Storage().String()).To(Equal("11Gi"))
	})

	It("for it would have to shrink: serves on, and says so", func(ctx context.Context) {
		class := serving(ctx, true)
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			template(&class, "5Gi")(s)
			s.Spec.Storage.VolumeClaimTemplate.Metadata.Labels = map[string]string{"example.com/kept": "up"}
		})
		c.settle(ctx, "files")
		Expect(storage(ctx).Status).To(Equal(metav1.ConditionFalse))
		Expect(storage(ctx).Reason).To(Equal("ClaimLarger"))
		Expect(storage(ctx).Message).To(And(ContainSubstring("has 10Gi"), ContainSubstring("requests.storage to 10Gi")))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
		claim := get(ctx, c, "files-data", &corev1.PersistentVolumeClaim{})
		Expect(claim.Spec.Resources.Requests.Storage().String()).To(Equal("10Gi"))
		Expect(claim.Labels).To(HaveKeyWithValue("example.com/kept", "up"), "the rest of it is kept up")
		expectEvent(c, "Warning ClaimLarger")

		c.update(ctx, "files", template(&class, "10Gi"))
		c.settle(ctx, "files")
		Expect(storage(ctx).Reason).To(Equal("ClaimBound"))
	})

	It("for it holds files of another class: says what to set back, which is taken", func(ctx context.Context) {
		class := serving(ctx, true)
		c.update(ctx, "files", template(new("another"), "10Gi"))
		c.settle(ctx, "files")
		Expect(storage(ctx).Reason).To(Equal("ClaimImmutable"))
		Expect(storage(ctx).Message).To(And(ContainSubstring(class), ContainSubstring(`not "another"`), ContainSubstring("persistentVolumeClaim")))
		c.update(ctx, "files", template(&class, "10Gi"))
		c.settle(ctx, "files")
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})

	It("for a claim that was never bound was left over: says first to delete it", func(ctx context.Context) {
		Expect(admin.Create(ctx, c.files(template(new("no-such-class"), "1Gi")))).To(Succeed())
		c.settle(ctx, "files")
		By("the FtpServer goes, and the claim stays")
		Expect(admin.Delete(ctx, c.server(ctx, "files"))).To(Succeed())
		_, err := c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		for _, o := range []client.Object{&corev1.Service{ObjectMeta: c.meta("files")}, &appsv1.Deployment{ObjectMeta: c.meta("files")}, &corev1.Secret{ObjectMeta: c.meta("files-config")}, &networkingv1.NetworkPolicy{ObjectMeta: c.meta("files")}} {
			Expect(client.IgnoreNotFound(admin.Delete(ctx, o))).To(Succeed())
		}
		c.password(ctx, "alice", "secret")
		class := "right-" + c.namespace
		storageClass(ctx, class, func(*storagev1.StorageClass) {})
		Expect(admin.Create(ctx, c.files(template(&class, "2Gi")))).To(Succeed())
		c.settle(ctx, "files")
		told := c.condition(ctx, "files", v1alpha1.ConditionReady)
		Expect(told.Reason).To(Equal("ClaimLeftOver"))
		Expect(told.Message).To(HavePrefix("delete PersistentVolumeClaim files-data, it holds nothing"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(Equal(metav1.ConditionTrue))

		c.deleteClaim(ctx, "files-data")
		c.settle(ctx, "files")
		c.bind(ctx, "files-data")
		c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.10"})
		c.makePod(ctx, "files", "files-a")
		c.run(ctx, "files", "files-a")
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})

	It("for a claim of nobody's, which was never bound, has its name: says first to delete it", func(ctx context.Context) {
		Expect(admin.Create(ctx, &corev1.PersistentVolumeClaim{ObjectMeta: c.meta("files-data"), Spec: claimSpec(corev1.ReadWriteOnce)})).To(Succeed())
		class := "right-" + c.namespace
		storageClass(ctx, class, func(*storagev1.StorageClass) {})
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(template(&class, "2Gi")))).To(Succeed())
		c.settle(ctx, "files")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Message).To(ContainSubstring(": delete PersistentVolumeClaim files-data, it holds nothing"))
	})
})
