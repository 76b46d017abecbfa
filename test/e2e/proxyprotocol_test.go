package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
	"github.com/ftp-operator/ftp-operator/test/pki"
)

var _ = Describe("Behind HAProxy, under policy Cluster", func() {
	// There are two versions of the protocol, each with its own HAProxy address and its own clients.
	var (
		alice    = netip.MustParseAddr("127.1.0.1")
		stranger = netip.MustParseAddr("127.1.0.2")
		ofV1     = netip.MustParseAddr("127.2.0.1")
	)
	It("clients are known by their own addresses, and data connections of others are refused", func(ctx SpecContext) {
		needHAProxy()
		ca, err := pki.NewCA("e2e")
		Expect(err).NotTo(HaveOccurred())
		replicas := int32(2)
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Replicas = &replicas
			s.Spec.Storage = manyPodsStorage()
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.TLS = &v1alpha1.TLSSpec{SecretName: certificateSecret, Mode: v1alpha1.TLSOptional}
			setCertificate(ctx, s.Namespace, ca, hostName)
		})
		waitReady(ctx, server)
		direct := server.DeepCopy() // its endpoint is the load balancer's
		backend := netip.MustParseAddr(server.Status.AdvertisedAddress)
		v2, v1 := frontend{loopback(101, backend), "send-proxy-v2"}, frontend{loopback(102, backend), "send-proxy"}
		startHAProxy(ctx, backend.String(), server.Spec.Passive.PortRange, v2, v1)

		By("finding out, as a user would, whom the pods see instead of the clients")
		nodes := seenFrom(ctx, server)
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			s.Spec.Service.ProxyProtocol = &v1alpha1.ProxyProtocolSpec{Mode: v1alpha1.ProxyProtocolRequire}
			for _, node := range nodes {
				s.Spec.Service.ProxyProtocol.Trusted = append(s.Spec.Service.ProxyProtocol.Trusted, v1alpha1.Network(netip.PrefixFrom(node, 32).String()))
			}
			s.Spec.Passive.AdvertisedAddress = v2.address.String()
			s.Spec.Passive.Overrides = []v1alpha1.AddressOverride{{Clients: []v1alpha1.Network{"127.2.0.0/16"}, Address: v1.address.String()}}
		})
		waitReady(ctx, server)
		Expect(controlAddress(server)).To(Equal(netip.AddrPortFrom(v2.address, 21).String()))

		By("version 2 of the protocol")
		session := login(ctx, ftpclient.Host{Source: alice}, server)
		expectPASV(session, v2.address.String(), server.Spec.Passive.PortRange)
		expectTransfer(ctx, session, ftpclient.PASV)
		expectTransfer(ctx, session, ftpclient.EPSV)
		expectAudited(ctx, server, session, true)
		Expect(session.Quit()).To(Succeed())

		By("under TLS, which begins behind the header")
		config := &tls.Config{RootCAs: ca.Pool, ServerName: hostName, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
		session, err = ftpclient.LoginTLS(ctx, ftpclient.Host{Source: alice}, ftpclient.Explicit, controlAddress(server), user, password, config)
		Expect(err).NotTo(HaveOccurred())
		expectTransfer(ctx, session, ftpclient.PASV)
		expectTransfer(ctx, session, ftpclient.EPSV)
		expectAudited(ctx, server, session, true)
		Expect(session.Quit()).To(Succeed())

		By("version 1, by the other address, which an override names to its clients")
		session, err = ftpclient.Login(ctx, ftpclient.Host{Source: ofV1}, netip.AddrPortFrom(v1.address, 21).String(), user, password)
		Expect(err).NotTo(HaveOccurred())
		expectPASV(session, v1.address.String(), server.Spec.Passive.PortRange)
		expectTransfer(ctx, session, ftpclient.PASV)
		expectTransfer(ctx, session, ftpclient.EPSV)
		expectAudited(ctx, server, session, true)
		Expect(session.Quit()).To(Succeed())

		By("dialling each passive port ahead of the client, by HAProxy and past it")
		intruded := intruded{Host: ftpclient.Host{Source: alice}, control: controlAddress(server), ahead: func(ctx context.Context, port string) {
			expectDropped(ctx, ftpclient.Host{Source: stranger}, net.JoinHostPort(v2.address.String(), port))
			expectDropped(ctx, ftpclient.Host{}, net.JoinHostPort(backend.String(), port))
		}}
		session = login(ctx, intruded, server)
		expectTransfer(ctx, session, ftpclient.PASV)
		expectTransfer(ctx, session, ftpclient.EPSV)
		expectAudited(ctx, server, session, true)
		Expect(session.Quit()).To(Succeed())

		By("without a header")
		expectDropped(ctx, ftpclient.Host{}, controlAddress(direct))
		inCluster := inClusterAddress(ctx, server)
		_, err = ftpclient.Login(ctx, inPod, inCluster, user, password)
		Expect(err).To(MatchError(ContainSubstring("421")), "a client in the cluster, which no proxy is in front of")

		By("which others than the proxy may come without, in mode Accept")
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.Service.ProxyProtocol.Mode = v1alpha1.ProxyProtocolAccept })
		waitReady(ctx, server)
		session, err = ftpclient.Login(ctx, inPod, inCluster, user, password)
		Expect(err).NotTo(HaveOccurred())
		expectTransfer(ctx, session, ftpclient.EPSV)
		expectAudited(ctx, server, session, false)
		Expect(session.Quit()).To(Succeed())
		expectDropped(ctx, ftpclient.Host{}, controlAddress(direct))
	}, SpecTimeout(specTimeout))
})

// intruded is a network in which another client connects first to every passive port.
type intruded struct {
	ftpclient.Host
	control string
	ahead   func(ctx context.Context, port string)
}

func (n intruded) Dial(ctx context.Context, address string) (net.Conn, error) {
	if address != n.control {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		n.ahead(ctx, port)
	}
	return n.Host.Dial(ctx, address)
}

// expectDropped proves that the daemon ends a connection without an answer, whatever it receives.
func expectDropped(ctx context.Context, network ftpclient.Network, address string) {
	GinkgoHelper()
	conn, err := network.Dial(ctx, address)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close() }()
	// This is not the start of a header, for which the daemon would wait. The connection may be closed already.
	_, _ = io.WriteString(conn, "USER "+user+"\r\n")
	Expect(conn.SetReadDeadline(time.Now().Add(soon))).To(Succeed())
	said, err := io.ReadAll(conn)
	Expect(string(said)).To(BeEmpty(), "what %s answered", address)
	// The connection ended by its close or a reset, and not by our deadline.
	Expect(errors.Is(err, os.ErrDeadlineExceeded)).To(BeFalse(), "%s keeps a stranger's connection", address)
}

// inClusterAddress returns the server's host:port for clients in the cluster.
func inClusterAddress(ctx context.Context, server *v1alpha1.FtpServer) string {
	GinkgoHelper()
	service := &corev1.Service{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
	return net.JoinHostPort(service.Spec.ClusterIP, "21")
}
