package e2e

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("Without its operator", func() {
	It("a server goes on, and what was changed meanwhile is done when the operator is back", func(ctx SpecContext) {
		server := newServer(ctx, nil)
		waitReady(ctx, server)
		session := login(ctx, inPod, server)
		upload, err := session.BeginStore(ctx, ftpclient.PASV, "across.bin")
		Expect(err).NotTo(HaveOccurred())
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())

		scaleOperator(ctx, 0)
		DeferCleanup(func(ctx SpecContext) { scaleOperator(ctx, 1) }, NodeTimeout(specTimeout))
		setPassword(ctx, server.Namespace, "bob", "first")
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Users = append(s.Spec.Users, ftpUser("bob")) })

		By("the running transfer, a new one, and a new login")
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		Expect(upload.Finish()).To(Succeed())
		expectTransfer(ctx, session, ftpclient.EPSV)
		expectTransfer(ctx, login(ctx, inPod, server), ftpclient.PASV)

		By("with the operator back")
		pod := onePod(ctx, server)
		scaleOperator(ctx, 1)
		waitReady(ctx, server)
		Eventually(ctx, func(ctx context.Context) error { return tryLogin(ctx, server, "bob", "first") }).Should(Succeed())
		expectTransfer(ctx, session, ftpclient.PASV)
		Expect(session.Quit()).To(Succeed())
		expectSamePod(ctx, server, pod)
	}, SpecTimeout(specTimeout))

	It("a killed daemon comes back with its ports, and nothing is touched when the operator is back", func(ctx SpecContext) {
		needMachines()
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Storage = manyPodsStorage() // a claim, which outlives the container
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
		})
		waitReady(ctx, server)
		pod := onePod(ctx, server)
		content := randomBytes(1 << 20)
		session := login(ctx, inPod, server)
		Expect(session.Store(ctx, ftpclient.PASV, "kept.bin", content)).To(Succeed())

		scaleOperator(ctx, 0)
		DeferCleanup(func(ctx SpecContext) { scaleOperator(ctx, 1) }, NodeTimeout(specTimeout))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		before := versionsOf(ctx, server)
		Expect(len(before)).To(BeNumerically(">=", 7), "%v", before)

		By("its process killed on its node")
		killDaemon(ctx, pod)
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			now := onePod(ctx, server)
			g.Expect(now.UID).To(Equal(pod.UID))
			g.Expect(now.Status.ContainerStatuses[0].RestartCount).To(BeEquivalentTo(1))
			g.Expect(podIsReady(&now)).To(BeTrue())
		}).Should(Succeed())
		_, err := session.Command(2, "NOOP")
		Expect(err).To(HaveOccurred(), "a session of the killed daemon")
		again := login(ctx, inPod, server)
		port := expectPASV(again, server.Status.AdvertisedAddress, server.Spec.Passive.PortRange)
		Expect(podOfPort(ctx, server, int(port))).To(Equal(pod.Name))
		came, err := again.Retrieve(ctx, ftpclient.PASV, "kept.bin")
		Expect(err).NotTo(HaveOccurred())
		Expect(bytes.Equal(came, content)).To(BeTrue())
		expectTransfer(ctx, again, ftpclient.EPSV)

		By("with the operator back, which makes another server meanwhile")
		upload, err := again.BeginStore(ctx, ftpclient.PASV, "across.bin")
		Expect(err).NotTo(HaveOccurred())
		revived := onePod(ctx, server)
		scaleOperator(ctx, 1)
		waitReady(ctx, newServer(ctx, nil))
		Consistently(ctx, func(ctx context.Context) map[string]string { return versionsOf(ctx, server) }).Should(Equal(before))
		now := onePod(ctx, server)
		Expect(now.UID).To(Equal(revived.UID))
		Expect(now.Status.ContainerStatuses).To(Equal(revived.Status.ContainerStatuses))
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		Expect(upload.Finish()).To(Succeed())
		Expect(again.Quit()).To(Succeed())
	}, SpecTimeout(specTimeout))

	It("an uninstalled chart leaves CRD, servers and sessions, and can be installed again", func(ctx SpecContext) {
		server := newServer(ctx, nil)
		waitReady(ctx, server)
		pod := onePod(ctx, server)
		session := login(ctx, inPod, server)
		expectTransfer(ctx, session, ftpclient.PASV)

		helm(ctx, "uninstall", release, "--namespace", operatorNamespace, "--wait")
		DeferCleanup(func(ctx SpecContext) { installOperator(ctx) }, NodeTimeout(specTimeout))
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			left := &appsv1.DeploymentList{}
			g.Expect(k8s.List(ctx, left, client.InNamespace(operatorNamespace))).To(Succeed())
			g.Expect(left.Items).To(BeEmpty())
		}).Should(Succeed())
		definition, err := crd(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(definition.GetDeletionTimestamp()).To(BeNil())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		expectTransfer(ctx, session, ftpclient.PASV)
		expectTransfer(ctx, login(ctx, inPod, server), ftpclient.EPSV)

		installOperator(ctx)
		By("and the server is managed again, with the same pod")
		setPassword(ctx, server.Namespace, "bob", "first")
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Users = append(s.Spec.Users, ftpUser("bob")) })
		Eventually(ctx, func(ctx context.Context) error { return tryLogin(ctx, server, "bob", "first") }).Should(Succeed())
		Expect(session.Quit()).To(Succeed())
		expectSamePod(ctx, server, pod)
	}, SpecTimeout(specTimeout))
})

var _ = Describe("Storage", func() {
	It("of a claim outlives the pod", func(ctx SpecContext) {
		server, content := withFile(ctx, v1alpha1.RetentionDelete)
		pod := onePod(ctx, server)
		Expect(k8s.Delete(ctx, &pod)).To(Succeed())
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			all := pods(ctx, server)
			g.Expect(all).To(HaveLen(1))
			g.Expect(all[0].UID).NotTo(Equal(pod.UID))
			g.Expect(podIsReady(&all[0])).To(BeTrue())
		}).WithTimeout(specTimeout / 2).Should(Succeed())
		waitReady(ctx, server)
		expectFile(ctx, server, content)
	}, SpecTimeout(specTimeout))
})

// versionsOf returns the resource versions of the server and of the objects that only the operator writes, by kind
// and name. (The kubelet writes to the pod, and the Deployment's controller to its status.)
func versionsOf(ctx context.Context, server *v1alpha1.FtpServer) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	own := []client.ListOption{client.InNamespace(server.Namespace), client.MatchingLabels{v1alpha1.ServerLabel: server.Name}}
	for _, list := range []client.ObjectList{
		&corev1.ServiceList{}, &corev1.SecretList{}, &corev1.PersistentVolumeClaimList{}, &discoveryv1.EndpointSliceList{},
		&networkingv1.NetworkPolicyList{}, &policyv1.PodDisruptionBudgetList{}, &v1alpha1.FtpServerList{},
	} {
		options := own
		if _, ok := list.(*v1alpha1.FtpServerList); ok {
			options = own[:1]
		}
		Expect(k8s.List(ctx, list, options...)).To(Succeed())
		Expect(meta.EachListItem(list, func(o runtime.Object) error {
			object := o.(client.Object)
			versions[fmt.Sprintf("%T %s", o, object.GetName())] = object.GetResourceVersion()
			return nil
		})).To(Succeed())
	}
	deployment := &appsv1.Deployment{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), deployment)).To(Succeed())
	versions["generation of the Deployment"] = strconv.FormatInt(deployment.Generation, 10)
	return versions
}

// killDaemon kills the daemon's process on its node, not through Kubernetes.
func killDaemon(ctx context.Context, pod corev1.Pod) {
	GinkgoHelper()
	id, isContainerd := strings.CutPrefix(pod.Status.ContainerStatuses[0].ContainerID, "containerd://")
	Expect(isContainerd).To(BeTrue(), "container %s", pod.Status.ContainerStatuses[0].ContainerID)
	onNode(ctx, "exec", pod.Spec.NodeName, "ctr", "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL", id)
}

// scaleOperator starts or stops the operator, and waits until that is done.
func scaleOperator(ctx context.Context, replicas int32) {
	GinkgoHelper()
	var deployment appsv1.Deployment
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		all := &appsv1.DeploymentList{}
		g.Expect(k8s.List(ctx, all, client.InNamespace(operatorNamespace))).To(Succeed())
		g.Expect(all.Items).To(HaveLen(1))
		deployment = all.Items[0]
		deployment.Spec.Replicas = &replicas
		g.Expect(k8s.Update(ctx, &deployment)).To(Succeed())
	}).Should(Succeed())
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		running := &corev1.PodList{}
		g.Expect(k8s.List(ctx, running, client.InNamespace(operatorNamespace),
			client.MatchingLabels(deployment.Spec.Selector.MatchLabels))).To(Succeed())
		g.Expect(running.Items).To(HaveLen(int(replicas)))
		for i := range running.Items {
			g.Expect(podIsReady(&running.Items[i])).To(BeTrue())
		}
	}).WithTimeout(specTimeout / 2).Should(Succeed())
}
