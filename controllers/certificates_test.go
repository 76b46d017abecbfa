package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/test/pki"
)

var _ = Describe("certificates", func() {
	var (
		c  *cluster
		ca *pki.CA
	)
	BeforeEach(func(ctx context.Context) {
		c = newCluster(ctx)
		var err error
		ca, err = pki.NewCA("clients")
		Expect(err).NotTo(HaveOccurred())
	})

	// issue creates a certificate with the given time left, and the Secret with it.
	issue := func(ctx context.Context, secret string, left time.Duration, names ...string) *corev1.Secret {
		GinkgoHelper()
		now := c.clock.Now()
		cert, key, err := ca.Issue(now.Add(-24*time.Hour), now.Add(left), names...)
		Expect(err).NotTo(HaveOccurred())
		s := &corev1.Secret{ObjectMeta: c.meta(secret), Type: corev1.SecretTypeTLS, Data: map[string][]byte{"tls.crt": cert, "tls.key": key}}
		c.put(ctx, s)
		return s
	}
	withTLS := func(s *v1alpha1.FtpServer) { s.Spec.TLS = &v1alpha1.TLSSpec{SecretName: "ftp-tls"} }
	const season = 90 * 24 * time.Hour

	// served returns the files in the config Secret that the configuration names, and expects the Secret to hold no
	// others.
	served := func(ctx context.Context) (*config.TLS, map[string]string) {
		GinkgoHelper()
		parsed, _ := c.config(ctx, "files")
		secret := get(ctx, c, "files-config", &corev1.Secret{})
		files := map[string]string{}
		for key, value := range secret.Data {
			if key != "ftpd.yaml" {
				files["/etc/ftpd/config/"+key] = string(value)
			}
		}
		named := []string{}
		if parsed.TLS != nil {
			for _, one := range parsed.TLS.Certificates {
				named = append(named, one.CertFile, one.KeyFile)
			}
			if parsed.TLS.ClientAuth.CAFile != "" {
				named = append(named, parsed.TLS.ClientAuth.CAFile)
			}
		}
		Expect(files).To(HaveLen(len(named)))
		for _, name := range named {
			Expect(files).To(HaveKey(name))
		}
		return parsed.TLS, files
	}
	certFile := func(ctx context.Context) string {
		GinkgoHelper()
		_, files := served(ctx)
		return files["/etc/ftpd/config/tls.crt"]
	}
	ready := func(ctx context.Context) *metav1.Condition {
		GinkgoHelper()
		return c.condition(ctx, "files", v1alpha1.ConditionCertificateReady)
	}

	It("hold a new server up until they are there", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(withTLS))).To(Succeed())
		c.settle(ctx, "files")
		Expect(admin.Get(ctx, c.key("files-config"), &corev1.Secret{})).NotTo(Succeed(), "a server without its certificate")
		Expect(c.service(ctx, "files").Spec.Ports).NotTo(BeEmpty(), "what takes time begins all the same")
		Expect(ready(ctx).Reason).To(Equal("CertificateMissing"))
		Expect(ready(ctx).Message).To(And(ContainSubstring(c.namespace+"/ftp-tls"), ContainSubstring("kubernetes.io/tls"), ContainSubstring("starts once")))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("InProgress"))
		expectEventAfterGrace(ctx, c, "Warning CertificateMissing")

		secret := issue(ctx, "ftp-tls", season, "ftp.example.com")
		c.settle(ctx, "files")
		tls, _ := served(ctx)
		Expect(tls.Login).To(Equal(config.PolicyRequired))
		Expect(tls.Data).To(Equal(config.PolicyRequired))
		Expect(certFile(ctx)).To(Equal(string(secret.Data["tls.crt"])))
		Expect(ready(ctx).Reason).To(Equal("CertificateValid"))
		Expect(c.deployment(ctx, "files").Name).To(Equal("files"))
		Expect(c.server(ctx, "files").Status.CertificateNotAfter.Time).To(BeTemporally("==", c.clock.Now().Add(season)))
	})

	It("reach running pods when they are renewed, by another hash of the configuration", func(ctx context.Context) {
		issue(ctx, "ftp-tls", season, "ftp.example.com")
		c.serve(ctx, c.files(withTLS), "files-a")
		template := c.deployment(ctx, "files").Generation
		_, before := c.config(ctx, "files")

		renewed := issue(ctx, "ftp-tls", 2*season, "ftp.example.com")
		c.settle(ctx, "files")
		_, after := c.config(ctx, "files")
		Expect(after).NotTo(Equal(before))
		Expect(certFile(ctx)).To(Equal(string(renewed.Data["tls.crt"])))
		Expect(c.pod(ctx, "files-a").Annotations).To(HaveKeyWithValue(v1alpha1.ConfigHashAnnotation, after), "the kubelet's cue")
		Expect(c.deployment(ctx, "files").Generation).To(Equal(template), "no pod is replaced")
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))

		edit(ctx, &corev1.Secret{ObjectMeta: c.meta("ftp-tls")}, func(s *corev1.Secret) { s.Labels = map[string]string{"a": "b"} })
		c.traffic.reset()
		_, err := c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.traffic.written()).To(BeEmpty(), "the same certificate")
	})

	DescribeTable("serve on when their Secret is lost or spoiled, also in pods that start anew, and say so",
		func(ctx context.Context, spoil func(ctx context.Context, s *corev1.Secret), reason, part, judged string) {
			secret := issue(ctx, "ftp-tls", season, "ftp.example.com")
			good := string(secret.Data["tls.crt"])
			c.serve(ctx, c.files(withTLS), "files-a")
			_, hash := c.config(ctx, "files")
			c.sent()

			spoil(ctx, secret)
			c.settle(ctx, "files")
			Expect(ready(ctx).Status).To(Equal(metav1.ConditionFalse))
			Expect(ready(ctx).Reason).To(Equal(reason))
			Expect(ready(ctx).Message).To(And(ContainSubstring(part), ContainSubstring("what was there before serves on")))
			Expect(certFile(ctx)).To(Equal(good))
			_, after := c.config(ctx, "files")
			Expect(after).To(Equal(hash))
			Expect(kstatusOf(ctx, c, "files")).To(Equal(judged))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionAvailable).Status).To(Equal(metav1.ConditionTrue))
			expectEvent(c, reason)

			c.password(ctx, "alice", "changed")
			c.settle(ctx, "files")
			_, after = c.config(ctx, "files")
			Expect(after).NotTo(Equal(hash), "other changes are not held up")
			Expect(certFile(ctx)).To(Equal(good))

			renewed := issue(ctx, "ftp-tls", season, "ftp.example.com")
			c.settle(ctx, "files")
			Expect(certFile(ctx)).To(Equal(string(renewed.Data["tls.crt"])))
			Expect(ready(ctx).Status).To(Equal(metav1.ConditionTrue))
			expectEvent(c, "CertificateValid")
		},
		Entry("deleted", func(ctx context.Context, s *corev1.Secret) { Expect(admin.Delete(ctx, s)).To(Succeed()) },
			"CertificateMissing", "there is no Secret", "InProgress"),
		Entry("emptied", func(ctx context.Context, s *corev1.Secret) {
			edit(ctx, s, func(s *corev1.Secret) { s.Data["tls.key"] = nil })
		}, "CertificateMissing", `key "tls.key" is missing`, "InProgress"),
		Entry("with another's key", func(ctx context.Context, s *corev1.Secret) {
			_, key, err := ca.Issue(c.clock.Now(), c.clock.Now(), "other")
			Expect(err).NotTo(HaveOccurred())
			edit(ctx, s, func(s *corev1.Secret) { s.Data["tls.key"] = key })
		}, "CertificateInvalid", "is not the key", "Failed"),
		Entry("with one that has ended", func(ctx context.Context, _ *corev1.Secret) {
			issue(ctx, "ftp-tls", -time.Hour, "ftp.example.com")
		}, "CertificateExpired", "renew it", "Failed"),
	)

	It("come to a server that has served without, and go again, replacing no pod", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		generation := c.deployment(ctx, "files").Generation
		Expect(ready(ctx).Reason).To(Equal("TLSDisabled"))

		By("not yet: it goes on as before, and other changes reach it")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			withTLS(s)
			s.Spec.TLS.Implicit = &v1alpha1.ImplicitTLSSpec{Enabled: true, Port: 990}
		})
		c.password(ctx, "alice", "changed")
		_, before := c.config(ctx, "files")
		c.settle(ctx, "files")
		tls, _ := served(ctx)
		Expect(tls).To(BeNil())
		_, after := c.config(ctx, "files")
		Expect(after).NotTo(Equal(before))
		Expect(ready(ctx).Message).To(ContainSubstring("the server goes on without"))
		Expect(c.server(ctx, "files").Status.FTPSEndpoint).To(BeEmpty())

		By("there")
		issue(ctx, "ftp-tls", season, "ftp.example.com")
		c.settle(ctx, "files")
		tls, _ = served(ctx)
		Expect(tls.ImplicitListen).To(Equal([]string{":9990"}))
		Expect(c.service(ctx, "files").Spec.Ports).To(ContainElement(And(
			HaveField("Name", "ftps"), HaveField("Port", int32(990)), HaveField("TargetPort.IntVal", int32(9990)))))
		Expect(c.slice(ctx, "files-a").Ports).To(ContainElement(And(
			HaveField("Name", HaveValue(Equal("ftps"))), HaveField("Port", HaveValue(Equal(int32(9990)))))))
		Expect(c.server(ctx, "files").Status.FTPSEndpoint).To(Equal("ftps://203.0.113.10:990"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))

		By("gone")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.TLS.Mode = v1alpha1.TLSDisabled })
		c.settle(ctx, "files")
		tls, files := served(ctx)
		Expect(tls).To(BeNil())
		Expect(files).To(BeEmpty(), "no key is left in the config Secret")
		Expect(c.service(ctx, "files").Spec.Ports).NotTo(ContainElement(HaveField("Name", "ftps")))
		Expect(c.slice(ctx, "files-a").Ports).NotTo(ContainElement(HaveField("Name", HaveValue(Equal("ftps")))))
		Expect(c.deployment(ctx, "files").Generation).To(Equal(generation))
	})

	It("of other names and of clients are read from their own Secrets", func(ctx context.Context) {
		issue(ctx, "ftp-tls", season, "ftp.example.com")
		issue(ctx, "partners-tls", season, "*.partners.example.com")
		c.put(ctx, &corev1.Secret{ObjectMeta: c.meta("partners-ca"), Data: map[string][]byte{"ca.crt": ca.CertPEM}})
		c.serve(ctx, c.files(withTLS, func(s *v1alpha1.FtpServer) {
			s.Spec.Hosts = []v1alpha1.HostPattern{"ftp.example.com", "*.partners.example.com"}
			s.Spec.TLS.ExtraCertificates = []v1alpha1.ExtraCertificate{{SecretName: "partners-tls"}}
			s.Spec.TLS.ClientCA = &v1alpha1.ClientCASpec{SecretName: "partners-ca"}
		}), "files-a")
		tls, files := served(ctx)
		Expect(tls.Certificates).To(HaveLen(2))
		Expect(tls.ClientAuth.Mode).To(Equal(config.ClientAuthRequired))
		Expect(files[tls.ClientAuth.CAFile]).To(Equal(string(ca.CertPEM)))
		Expect(ready(ctx).Reason).To(Equal("CertificateValid"))
		Expect(ready(ctx).Message).To(ContainSubstring("ftp.example.com, *.partners.example.com"))

		By("a name that none is for")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Hosts = append(s.Spec.Hosts, "ftp.example.org") })
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("HostNotCovered"))
		Expect(ready(ctx).Message).To(ContainSubstring("no certificate is for ftp.example.org,"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
		expectEvent(c, "HostNotCovered")

		By("an extra one that never was: the rest serves without it")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
			s.Spec.TLS.ExtraCertificates = append(s.Spec.TLS.ExtraCertificates, v1alpha1.ExtraCertificate{SecretName: "late-tls"})
		})
		c.settle(ctx, "files")
		tls, _ = served(ctx)
		Expect(tls.Certificates).To(HaveLen(2))
		Expect(ready(ctx).Reason).To(Equal("CertificateMissing"))
		Expect(ready(ctx).Message).To(ContainSubstring("late-tls"))

		By("authorities that are lost go on being asked for")
		Expect(admin.Delete(ctx, &corev1.Secret{ObjectMeta: c.meta("partners-ca")})).To(Succeed())
		issue(ctx, "late-tls", season, "ftp.example.org")
		c.settle(ctx, "files")
		tls, _ = served(ctx)
		Expect(tls.Certificates).To(HaveLen(3))
		Expect(tls.ClientAuth.Mode).To(Equal(config.ClientAuthRequired))
		Expect(ready(ctx).Message).To(And(ContainSubstring("partners-ca"), ContainSubstring("serves on")))
	})

	It("are told of as they age", func(ctx context.Context) {
		issue(ctx, "ftp-tls", season, "ftp.example.com")
		c.serve(ctx, c.files(withTLS, func(s *v1alpha1.FtpServer) { s.Spec.Passive.AdvertisedAddress = "ftp.example.com" }), "files-a")
		Expect(ready(ctx).Reason).To(Equal("CertificateValid"))
		c.clock.SetTime(c.clock.Now().Add(season - 10*24*time.Hour))
		Expect(c.settle(ctx, "files")).To(BeNumerically("<=", time.Minute), "or nobody would look")
		Expect(ready(ctx).Reason).To(Equal("CertificateEndsSoon"))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
		expectEvent(c, "CertificateEndsSoon")
		c.clock.SetTime(c.clock.Now().Add(11 * 24 * time.Hour))
		c.settle(ctx, "files")
		Expect(ready(ctx).Reason).To(Equal("CertificateExpired"))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Failed"))
		expectEvent(c, "CertificateExpired")
	})

	It("leave no trace of their keys in a status, an event or a log", func(ctx context.Context) {
		secret := issue(ctx, "ftp-tls", season, "ftp.example.com")
		c.serve(ctx, c.files(withTLS), "files-a")
		edit(ctx, secret, func(s *corev1.Secret) {
			s.Data["tls.crt"] = s.Data["tls.key"]
		})
		c.settle(ctx, "files")
		Expect(ready(ctx).Status).To(Equal(metav1.ConditionFalse))
		key := string(secret.Data["tls.key"])[40:60]
		Expect(c.server(ctx, "files").Status.Conditions).NotTo(ContainElement(HaveField("Message", ContainSubstring(key))))
		Expect(c.sent()).NotTo(ContainElement(ContainSubstring(key)))
		logged := CurrentSpecReport().CapturedGinkgoWriterOutput
		Expect(logged).To(ContainSubstring("applied"), "or no log is looked at")
		Expect(logged).NotTo(ContainSubstring(key))
	})

	It("are followed by the manager's watches, whichever of the Secrets changes", func(ctx context.Context) {
		authorities := func(pem []byte) {
			c.put(ctx, &corev1.Secret{ObjectMeta: c.meta("partners-ca"), Data: map[string][]byte{"ca.crt": pem}})
		}
		issue(ctx, "ftp-tls", season, "ftp.example.com")
		issue(ctx, "partners-tls", season, "partners.example.com")
		authorities(ca.CertPEM)
		c.manage(operatorConfig, c.namespace)
		c.serveManaged(ctx, c.files(withTLS, func(s *v1alpha1.FtpServer) {
			s.Spec.TLS.ExtraCertificates = []v1alpha1.ExtraCertificate{{SecretName: "partners-tls"}}
			s.Spec.TLS.ClientCA = &v1alpha1.ClientCASpec{SecretName: "partners-ca"}
		}), "files-a")
		for secret, renew := range map[string]func(){
			"ftp-tls":      func() { issue(ctx, "ftp-tls", season, "ftp.example.com") },
			"partners-tls": func() { issue(ctx, "partners-tls", season, "partners.example.com") },
			"partners-ca":  func() { authorities(append([]byte("# renewed\n"), ca.CertPEM...)) },
		} {
			_, before := c.config(ctx, "files")
			renew()
			Eventually(func() string { _, hash := c.config(ctx, "files"); return hash }, soon).ShouldNot(Equal(before), secret)
			c.eventuallyReady(ctx, "files")
		}
	})
})
