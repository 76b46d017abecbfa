package e2e

import (
	"context"
	"io"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("Deleting a server in mid-transfer", func() {
	// drainsLong keeps the sessions of a deleted server alive until the test ends them, however long a busy machine
	// takes between two steps.
	drainsLong := func(s *v1alpha1.FtpServer) {
		grace := int64(180)
		s.Spec.Template.TerminationGracePeriodSeconds = &grace
		s.Spec.Drain = v1alpha1.DrainSpec{LameDuck: "2s", Idle: "2m"}
		s.Spec.Limits.Timeouts.Data = "10m" // both transfers pause in between
	}
	behindLoadBalancer := func(s *v1alpha1.FtpServer) {
		if !env.loadBalancers.IsValid() {
			// A download from a pod comes through the relay, which reads all of it at once.
			Skip("NOT TESTED: deletion in mid-transfer: this machine reaches no load balancer address (E2E_LB_CIDR)")
		}
		drainsLong(s)
		s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
		// With Local the load balancer's health check fails as soon as the only pod drains.
		s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
	}

	// begin starts an upload and a download, each in its own session.
	begin := func(ctx context.Context, network ftpclient.Network, server *v1alpha1.FtpServer) (goOn, finish func()) {
		GinkgoHelper()
		waitReady(ctx, server)
		up, down := login(ctx, network, server), login(ctx, network, server)
		content := randomBytes(32 << 20) // more than the socket buffers between server and client hold
		Expect(down.Store(ctx, ftpclient.PASV, "down.bin", content)).To(Succeed())
		upload, err := up.BeginStore(ctx, ftpclient.EPSV, "up.bin")
		Expect(err).NotTo(HaveOccurred())
		download, err := down.Begin(ctx, ftpclient.PASV, "RETR down.bin")
		Expect(err).NotTo(HaveOccurred())
		came, read := make([]byte, len(content)), 0
		goOn = func() {
			GinkgoHelper()
			_, err := upload.Write(randomBytes(1 << 16))
			Expect(err).NotTo(HaveOccurred(), "the running upload")
			n, err := io.ReadFull(download, came[read:read+1<<16])
			Expect(err).NotTo(HaveOccurred(), "the running download")
			read += n
		}
		goOn()
		return goOn, func() {
			GinkgoHelper()
			goOn()
			Expect(upload.Finish()).To(Succeed())
			expectTransfer(ctx, up, ftpclient.PASV) // with data connections that are opened only now
			Expect(up.Quit()).To(Succeed())
			_, err := io.ReadFull(download, came[read:])
			Expect(err).NotTo(HaveOccurred())
			Expect(download.Finish(nil)).To(Succeed())
			Expect(came).To(Equal(content))
			expectTransfer(ctx, down, ftpclient.EPSV)
			Expect(down.Quit()).To(Succeed())
		}
	}
	// drains waits until the pod's daemon refuses new sessions, which it does when its lame duck time has ended.
	drains := func(ctx context.Context, network ftpclient.Network, server *v1alpha1.FtpServer, pod corev1.Pod) {
		GinkgoHelper()
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(&pod), &pod)).To(Succeed())
			g.Expect(pod.DeletionTimestamp).NotTo(BeNil())
			// Without a login, which would extend the lame duck time.
			session, err := ftpclient.Connect(ctx, network, controlAddress(server))
			if err == nil {
				_ = session.Quit()
			}
			g.Expect(err).To(MatchError(ContainSubstring("421")))
		}).WithPolling(pollSlowly).Should(Succeed())
	}
	expectNothingLeft := func(ctx context.Context, server *v1alpha1.FtpServer) {
		GinkgoHelper()
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(pods(ctx, server)).To(BeEmpty())
			g.Expect(slicesOf(ctx, server)).To(BeEmpty())
			for _, object := range []client.Object{&corev1.Service{}, &networkingv1.NetworkPolicy{}, &v1alpha1.FtpServer{}} {
				g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(server), object))).To(BeTrue(), "%T", object)
			}
			secret := types.NamespacedName{Namespace: server.Namespace, Name: server.Name + "-config"}
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, secret, &corev1.Secret{}))).To(BeTrue())
		}).Should(Succeed(), "all goes with the last pod")
	}

	It("leaves the sessions their routes until the pods are gone, without the operator too", func(ctx SpecContext) {
		server := newServer(ctx, behindLoadBalancer)
		goOn, finish := begin(ctx, ftpclient.Host{}, server)
		pod := onePod(ctx, server)
		scaleOperator(ctx, 0)
		DeferCleanup(func(ctx SpecContext) { scaleOperator(ctx, 1) }, NodeTimeout(specTimeout))
		Expect(k8s.Delete(ctx, server.DeepCopy())).To(Succeed())
		drains(ctx, ftpclient.Host{}, server, pod)
		goOn()
		finish()
		expectNothingLeft(ctx, server)
	}, SpecTimeout(specTimeout))

	It("and creating another of the same name leads new sessions to the new pod, and the old ones to theirs", func(ctx SpecContext) {
		server := newServer(ctx, behindLoadBalancer)
		goOn, finish := begin(ctx, ftpclient.Host{}, server)
		pod := onePod(ctx, server)
		service := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		before := service.UID
		Expect(k8s.Delete(ctx, server.DeepCopy())).To(Succeed())
		drains(ctx, ftpclient.Host{}, server, pod)
		goOn()

		next := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: server.Name}, Spec: server.Spec}
		Expect(k8s.Create(ctx, next)).To(Succeed())
		waitReady(ctx, next)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		Expect(service.UID).To(Equal(before), "the same Service, and so the same address")
		// The nodes follow the API server with a short delay.
		Eventually(ctx, func(ctx context.Context) error { return tryTransfer(ctx, ftpclient.Host{}, next) }).
			WithTimeout(30 * time.Second).Should(Succeed())
		for range 4 {
			Expect(tryTransfer(ctx, ftpclient.Host{}, next)).To(Succeed())
		}
		Expect(pods(ctx, next)).To(ContainElement(HaveField("ObjectMeta.UID", pod.UID)), "the old pod drains")
		expectDistinctPorts(ctx, next)
		finish()
		Eventually(ctx, func(ctx context.Context) []corev1.Pod { return pods(ctx, next) }).Should(HaveLen(1))
		Expect(tryTransfer(ctx, ftpclient.Host{}, next)).To(Succeed())
	}, SpecTimeout(specTimeout))

	It("in the foreground leaves them their routes as well", func(ctx SpecContext) {
		// A ClusterIP keeps its address when the Service is created again.
		server := newServer(ctx, drainsLong)
		waitReady(ctx, server)
		session := login(ctx, inPod, server)
		upload, err := session.BeginStore(ctx, ftpclient.EPSV, "up.bin")
		Expect(err).NotTo(HaveOccurred())
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		pod := onePod(ctx, server)
		Expect(k8s.Delete(ctx, server.DeepCopy(), client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		drains(ctx, inPod, server, pod)
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		Expect(upload.Finish()).To(Succeed())
		for _, mode := range []ftpclient.Mode{ftpclient.PASV, ftpclient.EPSV} {
			expectTransfer(ctx, session, mode)
		}
		Expect(session.Quit()).To(Succeed())
		expectNothingLeft(ctx, server)
	}, SpecTimeout(specTimeout))
})
