package e2e

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/test/e2e/load"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// recovery is the time that the operator may take to restore what was deleted.
const recovery = 15 * time.Second

var _ = Describe("Under load", func() {
	It("a server gets over the loss of its slices, its Service and a pod, and of the API server", func(ctx SpecContext) {
		replicas := int32(2)
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Replicas = &replicas
			s.Spec.Storage = manyPodsStorage()
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
		})
		waitReady(ctx, server)
		network, outside := networks(server.Status.AdvertisedAddress)["this machine"]
		if !outside {
			network = inPod
		}
		running := load.Start(ctx, load.Config{
			Network: network, Address: controlAddress(server), User: user, Password: password, Dir: "load-",
			Clients: 4, PerSession: 4, MaxSize: 1 << 18, Pause: 100 * time.Millisecond,
			RetryAfter: 200 * time.Millisecond, Patience: 5 * time.Second, Seed: uint64(GinkgoRandomSeed()),
		})
		DeferCleanup(func() { running.Stop() })
		// Connect within the cluster, where no load balancer's route is added or removed.
		inCluster := inClusterAddress(ctx, server)
		var uploads []*upload
		for _, pod := range pods(ctx, server) {
			uploads = append(uploads, uploadTo(ctx, inPod, inCluster, server, pod.Name))
		}
		goOn := func() {
			GinkgoHelper()
			for _, u := range uploads {
				u.goOn()
			}
		}
		session := login(ctx, inPod, server)

		By("all EndpointSlices deleted")
		before := slicesOf(ctx, server)
		Expect(k8s.DeleteAllOf(ctx, &discoveryv1.EndpointSlice{}, client.InNamespace(server.Namespace),
			client.MatchingLabels{v1alpha1.ServerLabel: server.Name})).To(Succeed())
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			now := slicesOf(ctx, server)
			g.Expect(now).To(HaveLen(len(before)))
			for name, was := range before {
				g.Expect(now).To(HaveKey(name))
				g.Expect(now[name].UID).NotTo(Equal(was.UID))
				g.Expect(now[name].Endpoints).To(Equal(was.Endpoints))
				g.Expect(now[name].Ports).To(Equal(was.Ports))
			}
		}).WithTimeout(recovery).Should(Succeed())
		goOn()
		eventuallyServes(ctx, server)

		By("the Service deleted")
		service := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		was := service.UID
		Expect(k8s.Delete(ctx, service)).To(Succeed())
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
			g.Expect(service.UID).NotTo(Equal(was))
			g.Expect(service.Status.LoadBalancer.Ingress).NotTo(BeEmpty())
		}).WithTimeout(recovery).Should(Succeed())
		goOn()
		By("PASV naming the new one's address, in running sessions too")
		Eventually(func() (string, error) { return pasvHost(session) }).WithTimeout(recovery).Should(Equal(service.Status.LoadBalancer.Ingress[0].IP))
		waitReady(ctx, server)
		Expect(server.Status.AdvertisedAddress).To(Equal(service.Status.LoadBalancer.Ingress[0].IP))
		eventuallyServes(ctx, server)

		By("a pod deleted by force")
		lost := uploads[0]
		now := int64(0)
		Expect(k8s.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: lost.pod}},
			&client.DeleteOptions{GracePeriodSeconds: &now})).To(Succeed())
		uploads = uploads[1:]
		goOn()
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			all := pods(ctx, server)
			g.Expect(all).To(HaveLen(2))
			for i := range all {
				g.Expect(all[i].Name).NotTo(Equal(lost.pod))
				g.Expect(podIsReady(&all[i])).To(BeTrue())
			}
		}).Should(Succeed())
		expectDistinctPorts(ctx, server)
		waitReady(ctx, server)
		goOn()
		Expect(lost.finish()).NotTo(Succeed(), "an upload to a pod that was killed")

		for _, u := range uploads {
			Expect(u.finish()).To(Succeed())
		}

		if len(env.apiServer) == 0 || !outside {
			AddReportEntry("NOT TESTED", "the loss of the API server: E2E_APISERVER has no command for it, or E2E_LB_CIDR no addresses that this machine can dial")
		} else {
			By("the API server killed")
			uploads = nil
			for _, pod := range pods(ctx, server) {
				uploads = append(uploads, uploadTo(ctx, network, controlAddress(server), server, pod.Name))
			}
			onAPIServer(ctx, "stop")
			started := false
			DeferCleanup(func(ctx SpecContext) {
				if !started {
					onAPIServer(ctx, "start")
				}
			}, NodeTimeout(time.Minute))
			goOn()
			Expect(tryTransfer(ctx, network, server)).To(Succeed(), "a new session without an API server")
			onAPIServer(ctx, "start")
			started = true
			for _, u := range uploads {
				Expect(u.finish()).To(Succeed())
			}
			By("and the operator at work again")
			setPassword(ctx, server.Namespace, "bob", "first")
			update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Users = append(s.Spec.Users, ftpUser("bob")) })
			waitReady(ctx, server)
			bob, err := ftpclient.Login(ctx, network, controlAddress(server), "bob", "first")
			Expect(err).NotTo(HaveOccurred())
			Expect(bob.Quit()).To(Succeed())
		}

		report := running.Stop()
		AddReportEntry("the load meanwhile", report.Summary().String())
		Expect(report.Summary().Outcomes[load.Wrong]).To(BeZero(), report.Failures(20))

		By("with everything as before")
		quiet := load.Start(ctx, load.Config{
			Network: network, Address: controlAddress(server), User: user, Password: password, Dir: "quiet-",
			Clients: 4, Transfers: 60, PerSession: 3, MaxSize: 1 << 18, RetryAfter: time.Second, Seed: uint64(GinkgoRandomSeed()),
		}).Wait()
		Expect(quiet.Summary().Outcomes).To(Equal(map[load.Outcome]int{load.Completed: 60}), quiet.Failures(20))
		Expect(quiet.Summary().Refused).To(BeZero(), quiet.Failures(20))
	}, SpecTimeout(specTimeout))
})

// upload is an upload that lasts as long as the test needs.
type upload struct {
	pod     string
	session *ftpclient.Client
	running *ftpclient.Upload
}

// uploadTo starts an upload to a certain pod: it logs in until a session is on that pod.
func uploadTo(ctx context.Context, network ftpclient.Network, address string, server *v1alpha1.FtpServer, pod string) *upload {
	GinkgoHelper()
	u := &upload{pod: pod}
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		session, err := ftpclient.Login(ctx, network, address, user, password)
		g.Expect(err).NotTo(HaveOccurred())
		port, err := pasvPort(session)
		if err == nil && podOfPort(ctx, server, port) == pod {
			u.session = session
			return
		}
		g.Expect(session.Close()).To(Succeed())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(port).To(BeZero(), "a passive port of pod %s", pod)
	}).Should(Succeed())
	DeferCleanup(func() { _ = u.session.Close() })
	var err error
	u.running, err = u.session.BeginStore(ctx, ftpclient.EPSV, fmt.Sprintf("to-%s-%d.bin", pod, time.Now().UnixNano()))
	Expect(err).NotTo(HaveOccurred())
	u.goOn()
	return u
}

func (u *upload) goOn() {
	GinkgoHelper()
	_, err := u.running.Write(randomBytes(1 << 16))
	Expect(err).NotTo(HaveOccurred(), "a running upload to pod %s", u.pod)
}

// finish ends the upload and the session in good order.
func (u *upload) finish() error {
	if err := u.running.Finish(); err != nil {
		return err
	}
	return u.session.Quit()
}

// podOfPort returns the pod that a passive port is routed to; empty if there is none.
func podOfPort(ctx context.Context, server *v1alpha1.FtpServer, port int) string {
	GinkgoHelper()
	for _, pod := range pods(ctx, server) {
		if podPorts(pod).Contains(uint16(port)) { //nolint:gosec // of a reply
			return pod.Name
		}
	}
	return ""
}

// podPorts returns the passive ports that a pod holds.
func podPorts(pod corev1.Pod) config.PortSet {
	GinkgoHelper()
	held, err := config.ParsePortSet(pod.Annotations[v1alpha1.PassivePortsAnnotation])
	Expect(err).NotTo(HaveOccurred())
	return held
}

// expectDistinctPorts proves that no two pods hold the same passive port.
func expectDistinctPorts(ctx context.Context, server *v1alpha1.FtpServer) {
	GinkgoHelper()
	holders := map[uint16]string{}
	for _, pod := range pods(ctx, server) {
		for _, port := range podPorts(pod) {
			Expect(holders).NotTo(HaveKey(port), "port %d of pod %s", port, pod.Name)
			holders[port] = pod.Name
		}
	}
}

// slicesOf returns the server's EndpointSlices by name.
func slicesOf(ctx context.Context, server *v1alpha1.FtpServer) map[string]discoveryv1.EndpointSlice {
	GinkgoHelper()
	list := &discoveryv1.EndpointSliceList{}
	Expect(k8s.List(ctx, list, client.InNamespace(server.Namespace), client.MatchingLabels{v1alpha1.ServerLabel: server.Name})).To(Succeed())
	all := map[string]discoveryv1.EndpointSlice{}
	for _, slice := range list.Items {
		if slice.DeletionTimestamp == nil {
			all[slice.Name] = slice
		}
	}
	return all
}

// eventuallyServes waits until new sessions can transfer from each network. Each node's kube-proxy follows the API
// server by itself, up to its minSyncPeriod (1 s) after another's: while one node serves, another may still refuse.
func eventuallyServes(ctx context.Context, server *v1alpha1.FtpServer) {
	GinkgoHelper()
	for name, network := range networks(server.Status.AdvertisedAddress) {
		Eventually(ctx, func(ctx context.Context) error { return tryTransfer(ctx, network, server) }).
			WithTimeout(recovery).Should(Succeed(), "from %s", name)
	}
}

// tryTransfer returns an error unless a new session can upload and download in both passive modes.
func tryTransfer(ctx context.Context, network ftpclient.Network, server *v1alpha1.FtpServer) error {
	session, err := ftpclient.Login(ctx, network, controlAddress(server), user, password)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	for _, mode := range []ftpclient.Mode{ftpclient.PASV, ftpclient.EPSV} {
		if err := session.Store(ctx, mode, "tried.bin", randomBytes(1<<12)); err != nil {
			return err
		}
		if _, err := session.Retrieve(ctx, mode, "tried.bin"); err != nil {
			return err
		}
	}
	return session.Quit()
}
