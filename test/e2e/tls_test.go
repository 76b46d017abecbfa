package e2e

import (
	"context"
	"crypto/tls"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
	"github.com/ftp-operator/ftp-operator/test/pki"
)

const (
	certificateSecret = "files-tls"
	// hostName is the host name in the servers' certificates, besides addresses.
	hostName = "ftp.example.com"
)

var _ = Describe("FTP over TLS", func() {
	var ca *pki.CA
	BeforeEach(func() {
		var err error
		ca, err = pki.NewCA("e2e")
		Expect(err).NotTo(HaveOccurred())
	})
	withTLS := func(s *v1alpha1.FtpServer) {
		s.Spec.TLS = &v1alpha1.TLSSpec{
			SecretName: certificateSecret,
			Implicit:   &v1alpha1.ImplicitTLSSpec{Enabled: true},
		}
	}
	// trusting returns a client configuration that resumes TLS sessions.
	trusting := func() *tls.Config {
		return &tls.Config{RootCAs: ca.Pool, ServerName: hostName, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	}
	// noReuse returns a client configuration that does not.
	noReuse := func() *tls.Config { return &tls.Config{RootCAs: ca.Pool, ServerName: hostName} }
	loginTLS := func(ctx context.Context, network ftpclient.Network, mode ftpclient.TLSMode, server *v1alpha1.FtpServer, config *tls.Config) *ftpclient.Client {
		GinkgoHelper()
		address := controlAddress(server)
		if mode == ftpclient.Implicit {
			u, err := url.Parse(server.Status.FTPSEndpoint)
			Expect(err).NotTo(HaveOccurred())
			Expect(u.Scheme).To(Equal("ftps"), "status.ftpsEndpoint = %q", server.Status.FTPSEndpoint)
			address = u.Host
		}
		var c *ftpclient.Client
		// The nodes learn of a new port with a short delay.
		Eventually(ctx, func(ctx context.Context) (err error) {
			c, err = ftpclient.LoginTLS(ctx, network, mode, address, user, password, config)
			return err
		}).Should(Succeed(), "%s TLS to %s", mode, address)
		DeferCleanup(func() { _ = c.Close() })
		return c
	}

	It("works, explicit and implicit, through the address that the load balancer gave", func(ctx SpecContext) {
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
			withTLS(s)
		})
		By("waiting for its certificate, which is for an address that is not known before")
		missing := eventually(ctx, server, v1alpha1.ConditionCertificateReady, metav1.ConditionFalse)
		Expect(missing.Reason).To(Equal("CertificateMissing"))
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(server.Status.AdvertisedAddressSource).To(Equal(v1alpha1.AddressFromLoadBalancerIP))
		}).Should(Succeed())
		address := server.Status.AdvertisedAddress
		Expect(pods(ctx, server)).To(BeEmpty(), "pods of a server without its certificate")

		setCertificate(ctx, server.Namespace, ca, hostName, address)
		waitReady(ctx, server)
		Expect(server.Status.Endpoint).To(Equal("ftp://" + address + ":21"))
		Expect(server.Status.FTPSEndpoint).To(Equal("ftps://" + address + ":990"))
		Expect(server.Status.CertificateNotAfter).NotTo(BeNil())

		for from, network := range networks(address) {
			for _, mode := range []ftpclient.TLSMode{ftpclient.Explicit, ftpclient.Implicit} {
				for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
					By("dialling from " + from + ", " + string(mode) + ", " + tls.VersionName(version))
					config := trusting()
					config.MaxVersion = version
					session := loginTLS(ctx, network, mode, server, config)
					expectPASV(session, address, server.Spec.Passive.PortRange)
					expectTransfer(ctx, session, ftpclient.PASV)
					expectTransfer(ctx, session, ftpclient.EPSV)
					Expect(session.Resumed()).To(BeTrue(), "the TLS session of the control connection")
					Expect(session.Quit()).To(Succeed())
				}
			}
			By("and by a client that resumes nothing")
			session := loginTLS(ctx, network, ftpclient.Explicit, server, noReuse())
			expectTransfer(ctx, session, ftpclient.EPSV)
			Expect(session.Quit()).To(Succeed())

			By("but not in clear text")
			plain, err := ftpclient.Connect(ctx, network, controlAddress(server))
			Expect(err).NotTo(HaveOccurred())
			_, err = plain.Command(530, "USER %s", user)
			Expect(err).NotTo(HaveOccurred(), "the refusal of a login in clear text")
			Expect(plain.Close()).To(Succeed())
		}
		if _, reachable := networks(address)["this machine"]; reachable {
			By("with curl")
			authorities := filepath.Join(GinkgoT().TempDir(), "ca.crt")
			Expect(os.WriteFile(authorities, ca.CertPEM, 0o600)).To(Succeed())
			expectCurl(ctx, server, "--ssl-reqd", "--cacert", authorities)
			implicit := server.DeepCopy()
			implicit.Status.Endpoint = server.Status.FTPSEndpoint
			expectCurl(ctx, implicit, "--cacert", authorities)
			out, err := exec.CommandContext(ctx, "curl", "--silent", "--show-error", "--max-time", "30",
				"--user", user+":"+password, "--ssl-reqd", server.Status.Endpoint).CombinedOutput()
			Expect(err).To(HaveOccurred(), "curl without the authority: %s", out)
		}
	}, SpecTimeout(specTimeout))

	It("has the next session see a certificate that was replaced, while the running one goes on", func(ctx SpecContext) {
		server := newServer(ctx, withTLS)
		first := setCertificate(ctx, server.Namespace, ca, hostName)
		waitReady(ctx, server)
		pod := onePod(ctx, server)
		session := loginTLS(ctx, inPod, ftpclient.Explicit, server, trusting())
		Expect(session.Certificate().Raw).To(Equal(first))
		upload, err := session.BeginStore(ctx, ftpclient.EPSV, "across.bin")
		Expect(err).NotTo(HaveOccurred())
		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())

		second := setCertificate(ctx, server.Namespace, ca, hostName)
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			c, err := ftpclient.LoginTLS(ctx, inPod, ftpclient.Explicit, controlAddress(server), user, password, trusting())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(c.Certificate().Raw).To(Equal(second), "the new certificate")
			g.Expect(c.Quit()).To(Succeed())
		}).WithTimeout(2 * soon).Should(Succeed())
		implicit := loginTLS(ctx, inPod, ftpclient.Implicit, server, trusting())
		Expect(implicit.Certificate().Raw).To(Equal(second))

		_, err = upload.Write(randomBytes(1 << 16))
		Expect(err).NotTo(HaveOccurred())
		Expect(upload.Finish()).To(Succeed(), "the upload that ran across")
		expectTransfer(ctx, session, ftpclient.PASV)
		Expect(session.Quit()).To(Succeed())
		expectSamePod(ctx, server, pod)

		By("and goes on with it when the Secret is lost")
		Expect(k8s.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: certificateSecret}})).To(Succeed())
		lost := eventually(ctx, server, v1alpha1.ConditionCertificateReady, metav1.ConditionFalse)
		Expect(lost.Reason).To(Equal("CertificateMissing"))
		expectTransfer(ctx, loginTLS(ctx, inPod, ftpclient.Explicit, server, trusting()), ftpclient.EPSV)
		expectSamePod(ctx, server, pod)
	}, SpecTimeout(specTimeout))

	It("refuses data connections that don't resume their control connection's session, under Require", func(ctx SpecContext) {
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			withTLS(s)
			s.Spec.TLS.SessionReuse = v1alpha1.SessionReuseRequire
		})
		setCertificate(ctx, server.Namespace, ca, hostName)
		waitReady(ctx, server)
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			By(tls.VersionName(version))
			config, other := trusting(), trusting()
			config.MaxVersion, other.MaxVersion = version, version
			session := loginTLS(ctx, inPod, ftpclient.Explicit, server, config)
			expectTransfer(ctx, session, ftpclient.EPSV)
			Expect(session.Resumed()).To(BeTrue())

			stranger := loginTLS(ctx, inPod, ftpclient.Implicit, server, other)
			expectTransfer(ctx, stranger, ftpclient.EPSV)
			for whose, config := range map[string]*tls.Config{"none": noReuse(), "another session's": other} {
				session.DataTLS(config)
				_, err := session.Retrieve(ctx, ftpclient.EPSV, "epsv.bin")
				Expect(err).To(MatchError(ContainSubstring("522")), "a download with the ticket of %s", whose)
				err = session.Store(ctx, ftpclient.PASV, "stolen.bin", randomBytes(1<<16))
				Expect(err).To(MatchError(ContainSubstring("522")), "an upload with the ticket of %s", whose)
			}
			session.DataTLS(config)
			expectTransfer(ctx, session, ftpclient.PASV)
			names, err := session.List(ctx, ftpclient.EPSV)
			Expect(err).NotTo(HaveOccurred())
			Expect(names).NotTo(ContainElement("stolen.bin"))
			Expect(session.Quit()).To(Succeed())
		}
	}, SpecTimeout(specTimeout))

	It("comes to a running server, changes and goes without a restart or a lost session", func(ctx SpecContext) {
		server := newServer(ctx, nil)
		waitReady(ctx, server)
		pod := onePod(ctx, server)
		plain := login(ctx, inPod, server)
		expectTransfer(ctx, plain, ftpclient.EPSV)

		By("optional, explicit and implicit")
		setCertificate(ctx, server.Namespace, ca, hostName)
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			withTLS(s)
			s.Spec.TLS.Mode = v1alpha1.TLSOptional
		})
		waitReady(ctx, server)
		secure := loginTLS(ctx, inPod, ftpclient.Implicit, server, trusting())
		expectTransfer(ctx, secure, ftpclient.EPSV)
		expectTransfer(ctx, loginTLS(ctx, inPod, ftpclient.Explicit, server, trusting()), ftpclient.PASV)
		expectTransfer(ctx, plain, ftpclient.EPSV)

		By("required")
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.TLS.Mode = v1alpha1.TLSRequired })
		Eventually(ctx, func(ctx context.Context) error { return tryLogin(ctx, server, user, password) }).
			WithTimeout(soon).Should(MatchError(ContainSubstring("530")))
		expectTransfer(ctx, loginTLS(ctx, inPod, ftpclient.Explicit, server, trusting()), ftpclient.PASV)

		By("gone")
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.TLS = nil })
		Eventually(ctx, func(ctx context.Context) error { return tryLogin(ctx, server, user, password) }).
			WithTimeout(soon).Should(Succeed())
		waitReady(ctx, server)
		expectTransfer(ctx, secure, ftpclient.EPSV)
		Expect(server.Status.FTPSEndpoint).To(BeEmpty())
		expectSamePod(ctx, server, pod)
	}, SpecTimeout(specTimeout))
})

// setCertificate creates the Secret of the server's certificate, or puts a new certificate into it, and returns the
// certificate.
func setCertificate(ctx context.Context, namespace string, ca *pki.CA, names ...string) []byte {
	GinkgoHelper()
	now := time.Now()
	cert, key, err := ca.Issue(now.Add(-time.Hour), now.Add(24*time.Hour), names...)
	Expect(err).NotTo(HaveOccurred())
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: certificateSecret}, Type: corev1.SecretTypeTLS}
	err = k8s.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	secret.Data = map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key}
	if apierrors.IsNotFound(err) {
		Expect(k8s.Create(ctx, secret)).To(Succeed())
	} else {
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Update(ctx, secret)).To(Succeed())
	}
	pair, err := tls.X509KeyPair(cert, key)
	Expect(err).NotTo(HaveOccurred())
	return pair.Certificate[0]
}
