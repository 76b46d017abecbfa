package e2e

import (
	"context"
	"io"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/ftpclient"
)

// drainsLong is longer than any test lets sessions of a deleted server go on, also one that is idle for as long as
// a busy machine takes between two steps.
func drainsLong(s *v1alpha1.FtpServer) {
	s.Spec.Template.TerminationGracePeriodSeconds = new(int64(180))
	s.Spec.Drain.Idle = "2m"
	s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
}

var _ = Describe("Deleting a server in mid-transfer", func() {
	// begin has an upload and a download running, each in a session of its own.
	begin := func(ctx context.Context, server *v1alpha1.FtpServer) (goOn, finish func()) {
		GinkgoHelper()
		waitReady(ctx, server)
		// Not from a pod: what its relay takes of a download, the server has sent.
		up, down := login(ctx, ftpclient.Host{}, server), login(ctx, ftpclient.Host{}, server)
		content := randomBytes(32 << 20) // more than the sockets in between hold
		Expect(down.Store(ctx, ftpclient.PASV, "down.bin", content)).To(Succeed())
		upload, err := up.BeginStore(ctx, ftpclient.EPSV, "up.bin")
		Expect(err).NotTo(HaveOccurred())
		download, err := down.Begin(ctx, ftpclient.PASV, "RETR down.bin")
		Expect(err).NotTo(HaveOccurred())
		came := make([]byte, len(content))
		read := 0
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
			expectTransfer(ctx, up, ftpclient.PASV) // by data connections that begin only now
			Expect(up.Quit()).To(Succeed())
			_, err := io.ReadFull(download, came[read:])
			Expect(err).NotTo(HaveOccurred())
			Expect(download.Finish(nil)).To(Succeed())
			Expect(came).To(Equal(content))
			expectTransfer(ctx, down, ftpclient.EPSV)
			Expect(down.Quit()).To(Succeed())
		}
	}
	drains := func(ctx context.Context, server *v1alpha1.FtpServer, pod corev1.Pod) {
		GinkgoHelper()
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(&pod), &pod)).To(Succeed())
			g.Expect(pod.DeletionTimestamp).NotTo(BeNil())
			// Its daemon has left the lame duck behind.
			attempt, cancel := context.WithTimeout(ctx, soon)
			defer cancel()
			session, err := ftpclient.Login(attempt, ftpclient.Host{}, controlAddress(server), user, password)
			if err == nil {
				_ = session.Quit()
			}
			g.Expect(err).To(HaveOccurred())
		}).Should(Succeed())
	}
	expectNothingLeft := func(ctx context.Context, server *v1alpha1.FtpServer) {
		GinkgoHelper()
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(pods(ctx, server)).To(BeEmpty())
			g.Expect(slicesOf(ctx, server)).To(BeEmpty())
			for _, object := range []client.Object{&corev1.Service{}, &networkingv1.NetworkPolicy{}} {
				g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(server), object))).To(BeTrue(), "%T", object)
			}
			secret := types.NamespacedName{Namespace: server.Namespace, Name: server.Name + "-config"}
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, secret, &corev1.Secret{}))).To(BeTrue())
		}).Should(Succeed(), "all goes with the last pod")
	}

	It("leaves its sessions their routes until its pods are gone, without the operator", func(ctx SpecContext) {
		server := newServer(ctx, drainsLong)
		goOn, finish := begin(ctx, server)
		pod := onePod(ctx, server)
		scaleOperator(ctx, 0)
		DeferCleanup(func(ctx SpecContext) { scaleOperator(ctx, 1) }, NodeTimeout(specTimeout))
		Expect(k8s.Delete(ctx, server.DeepCopy())).To(Succeed())
		drains(ctx, server, pod)
		goOn()
		finish()
		expectNothingLeft(ctx, server)
	}, SpecTimeout(specTimeout))

	It("and making another of its name leads new sessions to the new pods, and the old ones to theirs", func(ctx SpecContext) {
		server := newServer(ctx, drainsLong)
		goOn, finish := begin(ctx, server)
		pod := onePod(ctx, server)
		service := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		before := service.UID
		Expect(k8s.Delete(ctx, server.DeepCopy())).To(Succeed())
		drains(ctx, server, pod)
		goOn()

		anew := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: server.Name}, Spec: server.Spec}
		Expect(k8s.Create(ctx, anew)).To(Succeed())
		waitReady(ctx, anew)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		Expect(service.UID).To(Equal(before), "the same Service, and so the same address")
		for range 4 {
			Expect(tryTransfer(ctx, ftpclient.Host{}, anew)).To(Succeed())
		}
		Expect(pods(ctx, anew)).To(ContainElement(HaveField("ObjectMeta.UID", pod.UID)), "the old pod drains")
		expectDistinctPorts(ctx, anew)
		finish()
		Eventually(ctx, func(ctx context.Context) []corev1.Pod { return pods(ctx, anew) }).Should(HaveLen(1))
		Expect(tryTransfer(ctx, ftpclient.Host{}, anew)).To(Succeed())
	}, SpecTimeout(specTimeout))
})
