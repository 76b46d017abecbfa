package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("Passive mode", func() {
	It("works through the address that the load balancer gave", func(ctx SpecContext) {
		server := newServer(ctx, func(s *v1alpha1.FtpServer) { s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer })
		waitReady(ctx, server)

		service := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		Expect(service.Status.LoadBalancer.Ingress).NotTo(BeEmpty())
		address := service.Status.LoadBalancer.Ingress[0].IP
		Expect(address).NotTo(BeEmpty(), "this cluster's load balancer has a host name: %+v", service.Status.LoadBalancer)
		Expect(server.Status.Endpoint).To(Equal("ftp://" + address + ":21"))
		Expect(server.Status.AdvertisedAddress).To(Equal(address))
		Expect(server.Status.AdvertisedAddressSource).To(Equal(v1alpha1.AddressFromLoadBalancerIP))

		for from, network := range networks(address) {
			By("dialling from " + from)
			session := login(ctx, network, server)
			expectPASV(session, address, server.Spec.Passive.PortRange)
			expectTransfer(ctx, session, ftpclient.PASV)
			expectTransfer(ctx, session, ftpclient.EPSV)
			Expect(session.Quit()).To(Succeed())
		}
		if _, reachable := networks(address)["this machine"]; reachable {
			By("with curl")
			expectCurl(ctx, server, "--ftp-pasv", "--no-ftp-skip-pasv-ip")
			expectCurl(ctx, server, "--ftp-pasv")
		}
	}, SpecTimeout(specTimeout))

	It("works through a node port, which is the passive port itself", func(ctx SpecContext) {
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Type = corev1.ServiceTypeNodePort
			// These are in the part of the range from which Kubernetes does not allocate by itself.
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30060, End: 30069}
		})
		waitReady(ctx, server)

		service := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		for _, port := range service.Spec.Ports {
			if port.Port != 21 {
				Expect(port.NodePort).To(Equal(port.Port), port.Name)
				Expect(port.TargetPort.IntVal).To(Equal(port.Port), port.Name)
			}
		}
		Expect(nodeAddresses(ctx)).To(ContainElement(server.Status.AdvertisedAddress))

		session := login(ctx, inPod, server)
		expectPASV(session, server.Status.AdvertisedAddress, server.Spec.Passive.PortRange)
		expectTransfer(ctx, session, ftpclient.PASV)
		expectTransfer(ctx, session, ftpclient.EPSV)
		Expect(session.Quit()).To(Succeed())
		if env.loadBalancers.IsValid() {
			By("from this machine, which reaches nodes where it reaches load balancer addresses")
			session := login(ctx, ftpclient.Host{}, server)
			expectTransfer(ctx, session, ftpclient.PASV)
			expectTransfer(ctx, session, ftpclient.EPSV)
			Expect(session.Quit()).To(Succeed())
		}
	}, SpecTimeout(specTimeout))

	It("works for a pod of the cluster, through the ClusterIP", func(ctx SpecContext) {
		server := newServer(ctx, nil)
		waitReady(ctx, server)

		service := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
		Expect(server.Status.AdvertisedAddress).To(Equal(service.Spec.ClusterIP))
		Expect(server.Status.AdvertisedAddressSource).To(Equal(v1alpha1.AddressFromClusterIP))

		session := login(ctx, inPod, server)
		expectPASV(session, service.Spec.ClusterIP, server.Spec.Passive.PortRange)
		expectTransfer(ctx, session, ftpclient.PASV)
		expectTransfer(ctx, session, ftpclient.EPSV)
		Expect(session.Quit()).To(Succeed())

		By("and by the Service's name")
		byName, err := ftpclient.Login(ctx, inPod, "files."+server.Namespace+".svc:21", user, password)
		Expect(err).NotTo(HaveOccurred())
		expectTransfer(ctx, byName, ftpclient.EPSV)
		Expect(byName.Quit()).To(Succeed())
	}, SpecTimeout(specTimeout))
})

var _ = Describe("Active mode", func() {
	It("works from a pod when it is enabled, and is refused when not", func(ctx SpecContext) {
		server := newServer(ctx, nil)
		waitReady(ctx, server)
		session := login(ctx, inPod, server)
		_, err := session.Command(5, "PORT 10,0,0,1,200,1")
		Expect(err).NotTo(HaveOccurred(), "the refusal")
		Expect(session.Quit()).To(Succeed())

		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Active.Enabled = true })
		waitReady(ctx, server)
		session = login(ctx, inPod, server)
		expectTransfer(ctx, session, ftpclient.PORT)
		expectTransfer(ctx, session, ftpclient.EPRT)
		Expect(session.Quit()).To(Succeed())
	}, SpecTimeout(specTimeout))
})

// nodeAddresses returns the IP addresses of all nodes.
func nodeAddresses(ctx context.Context) []string {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(k8s.List(ctx, nodes)).To(Succeed())
	var addresses []string
	for _, node := range nodes.Items {
		for _, address := range node.Status.Addresses {
			addresses = append(addresses, address.Address)
		}
	}
	return addresses
}

// expectCurl uploads and downloads a file with curl, from this machine.
func expectCurl(ctx context.Context, server *v1alpha1.FtpServer, options ...string) {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	sent, came := filepath.Join(folder, "sent"), filepath.Join(folder, "came")
	content := randomBytes(3 << 20)
	Expect(os.WriteFile(sent, content, 0o600)).To(Succeed())
	url := server.Status.Endpoint + "/curl.bin"
	for _, transfer := range [][]string{{"--upload-file", sent, url}, {"--output", came, url}} {
		args := append([]string{"--silent", "--show-error", "--max-time", "30", "--user", user + ":" + password}, options...)
		out, err := exec.CommandContext(ctx, "curl", append(args, transfer...)...).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "curl %v: %s", transfer, out)
	}
	got, err := os.ReadFile(came)
	Expect(err).NotTo(HaveOccurred())
	Expect(bytes.Equal(got, content)).To(BeTrue(), "what curl brought back is not what it sent")
}
