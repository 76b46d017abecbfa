package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// replicaSet creates the ReplicaSet of the Deployment's present template, or finds it.
func (c *cluster) replicaSet(ctx context.Context, d *appsv1.Deployment) *appsv1.ReplicaSet {
	GinkgoHelper()
	set := &appsv1.ReplicaSet{
		ObjectMeta: c.meta(fmt.Sprintf("%s-%d", d.Name, d.Generation)),
		Spec:       appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template},
	}
	set.Labels = d.Spec.Template.Labels
	set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))}
	err := admin.Create(ctx, set)
	if apierrors.IsAlreadyExists(err) {
		return get(ctx, c, set.Name, set)
	}
	Expect(err).NotTo(HaveOccurred())
	return set
}

// makePod creates a pod of the Deployment, as its ReplicaSet would. The pod is bound to a node and has no container
// status yet.
func (c *cluster) makePod(ctx context.Context, server, name string) *corev1.Pod {
	GinkgoHelper()
	return c.makePodOn(ctx, server, name, "node-a")
}

// makePodOn is makePod on the given node; empty: the pod is not scheduled yet.
func (c *cluster) makePodOn(ctx context.Context, server, name, node string) *corev1.Pod {
	GinkgoHelper()
	d := c.deployment(ctx, server)
	set := c.replicaSet(ctx, d)
	pod := &corev1.Pod{ObjectMeta: *d.Spec.Template.ObjectMeta.DeepCopy(), Spec: *d.Spec.Template.Spec.DeepCopy()}
	pod.Namespace, pod.Name = c.namespace, name
	pod.Spec.NodeName = node
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
	Expect(admin.Create(ctx, pod)).To(Succeed())
	c.nextIP++
	c.setPod(ctx, name, func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodPending
		p.Status.PodIP = fmt.Sprintf("10.1.0.%d", c.nextIP)
		p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
	})
	return pod
}

func (c *cluster) setPod(ctx context.Context, name string, change func(*corev1.Pod)) {
	GinkgoHelper()
	Eventually(func() error {
		p := &corev1.Pod{}
		if err := admin.Get(ctx, c.key(name), p); err != nil {
			return err
		}
		change(p)
		return admin.Status().Update(ctx, p)
	}).Should(Succeed())
}

// startPod runs the pod's container and sets its readiness as a kubelet would: the container is ready once it has
// passive ports, and the pod once its readiness gate is open.
func (c *cluster) startPod(ctx context.Context, name string) {
	GinkgoHelper()
	c.setPod(ctx, name, func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodRunning
		ready := corev1.ConditionFalse
		if p.Annotations[v1alpha1.PassivePortsAnnotation] != "" {
			ready = corev1.ConditionTrue
		}
		setPodCondition(p, corev1.ContainersReady, ready)
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "ftpd", Ready: ready == corev1.ConditionTrue, Image: image, ImageID: image,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		}}
		if podConditionTrue(p, v1alpha1.RoutedConditionType) && ready == corev1.ConditionTrue {
			setPodCondition(p, corev1.PodReady, corev1.ConditionTrue)
		}
	})
}

func setPodCondition(p *corev1.Pod, kind corev1.PodConditionType, status corev1.ConditionStatus) {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == kind {
			p.Status.Conditions[i].Status = status
			return
		}
	}
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: status})
}

func podConditionTrue(p *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// rolledOut sets the Deployment's status to that with the given number of ready pods.
func (c *cluster) rolledOut(ctx context.Context, name string, pods int32) {
	GinkgoHelper()
	Eventually(func() error {
		d := &appsv1.Deployment{}
		if err := admin.Get(ctx, c.key(name), d); err != nil {
			return err
		}
		d.Status.ObservedGeneration = d.Generation
		d.Status.Replicas, d.Status.UpdatedReplicas = pods, pods
		d.Status.ReadyReplicas, d.Status.AvailableReplicas = pods, pods
		return admin.Status().Update(ctx, d)
	}).Should(Succeed())
}

// terminate deletes a pod, which stays terminating as while it drains.
func (c *cluster) terminate(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(admin.Delete(ctx, c.pod(ctx, name))).To(Succeed())
	Expect(c.pod(ctx, name).DeletionTimestamp).NotTo(BeNil())
}

// bury removes a pod for good, as its kubelet does at the end.
func (c *cluster) bury(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(admin.Delete(ctx, c.pod(ctx, name), client.GracePeriodSeconds(0))).To(Succeed())
	Expect(apierrors.IsNotFound(admin.Get(ctx, c.key(name), &corev1.Pod{}))).To(BeTrue())
}

// serve brings a new server to readiness: its Secret, its load balancer's address, its pods.
func (c *cluster) serve(ctx context.Context, s *v1alpha1.FtpServer, pods ...string) {
	GinkgoHelper()
	for _, u := range s.Spec.Users {
		c.password(ctx, u.Name, "correct horse of "+u.Name)
	}
	if s.Spec.Storage.PersistentVolumeClaim != nil {
		c.sharedClaim(ctx)
	}
	Expect(admin.Create(ctx, s)).To(Succeed())
	c.settle(ctx, s.Name)
	if c.service(ctx, s.Name).Spec.Type == corev1.ServiceTypeLoadBalancer {
		c.loadBalancer(ctx, s.Name, corev1.LoadBalancerIngress{IP: "203.0.113.10"})
	}
	for _, name := range pods {
		c.makePod(ctx, s.Name, name)
	}
	c.run(ctx, s.Name, pods...)
}

// run makes pods, and with them the server, ready.
func (c *cluster) run(ctx context.Context, server string, pods ...string) {
	GinkgoHelper()
	c.settle(ctx, server)
	for range 2 { // once for the containers, once for the gate
		for _, name := range pods {
			c.startPod(ctx, name)
		}
		c.settle(ctx, server)
	}
	c.rolledOut(ctx, server, int32(len(pods)))
	c.settle(ctx, server)
}
