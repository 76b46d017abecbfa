package controllers_test

import (
	"context"
	"regexp"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/pki"
)

// These tests follow each remedy that a condition's message names, unless the test of the condition does.
var _ = Describe("the remedy that a message names", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	// told expects a condition to be bad and its message to name the remedy.
	told := func(ctx context.Context, kind, reason, remedy string) *metav1.Condition {
		GinkgoHelper()
		c.settle(ctx, "files")
		condition := c.condition(ctx, "files", kind)
		Expect(condition.Reason).To(Equal(reason), condition.Message)
		Expect(condition.Message).To(ContainSubstring(remedy))
		return condition
	}
	// mended expects the condition to be good and the server to have no problem.
	mended := func(ctx context.Context, kind string) {
		GinkgoHelper()
		c.settle(ctx, "files")
		condition := c.condition(ctx, "files", kind)
		Expect(condition.Status).To(Equal(metav1.ConditionTrue), condition.Message)
		Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(BeEquivalentTo("absent"))
	}
	update := func(ctx context.Context, change func(*v1alpha1.FtpServerSpec)) {
		GinkgoHelper()
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { change(&s.Spec) })
	}

	It("is to add users, or anonymous, where nobody can log in", func(ctx context.Context) {
		c.serve(ctx, c.files(func(s *v1alpha1.FtpServer) { s.Spec.Users = nil }), "files-a")
		told(ctx, v1alpha1.ConditionUsersReady, "NoUsers", "add users to spec.users or set spec.anonymous.enabled")
		update(ctx, func(s *v1alpha1.FtpServerSpec) { s.Anonymous.Enabled = true })
		mended(ctx, v1alpha1.ConditionUsersReady)
		update(ctx, func(s *v1alpha1.FtpServerSpec) {
			s.Anonymous.Enabled, s.Users = false, []v1alpha1.User{user("alice")}
		})
		c.password(ctx, "alice", "secret")
		mended(ctx, v1alpha1.ConditionUsersReady)
	})

	It("is to raise spec.replicas from 0", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		update(ctx, func(s *v1alpha1.FtpServerSpec) { s.Replicas = new(int32) })
		c.settle(ctx, "files")
		c.terminate(ctx, "files-a")
		c.bury(ctx, "files-a")
		c.rolledOut(ctx, "files", 0)
		told(ctx, v1alpha1.ConditionAvailable, "ScaledToZero", "spec.replicas is 0: raise it to serve")
		update(ctx, func(s *v1alpha1.FtpServerSpec) { s.Replicas = new(int32(1)) })
		c.settle(ctx, "files")
		c.makePod(ctx, "files", "files-b")
		c.run(ctx, "files", "files-b")
		mended(ctx, v1alpha1.ConditionAvailable)
	})

	It("is to make the claim, or to name another", func(ctx context.Context) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(replicas(1)))).To(Succeed())
		remedy := "make it in namespace " + c.namespace + ", or name another in spec.storage.persistentVolumeClaim.claimName"
		told(ctx, v1alpha1.ConditionStorageReady, "ClaimMissing", remedy)
		c.claim(ctx, "another", corev1.ClaimBound, nil)
		update(ctx, func(s *v1alpha1.FtpServerSpec) { s.Storage.PersistentVolumeClaim.ClaimName = "another" })
		mended(ctx, v1alpha1.ConditionStorageReady)
		update(ctx, func(s *v1alpha1.FtpServerSpec) { s.Storage.PersistentVolumeClaim.ClaimName = "shared" })
		told(ctx, v1alpha1.ConditionStorageReady, "ClaimMissing", remedy)
		c.sharedClaim(ctx)
		mended(ctx, v1alpha1.ConditionStorageReady)
	})

	It("is to use another claim, where a volume is lost", func(ctx context.Context) {
		c.serve(ctx, c.files(replicas(1)), "files-a")
		lost := get(ctx, c, "shared", &corev1.PersistentVolumeClaim{})
		lost.Status.Phase = corev1.ClaimLost
		Expect(admin.Status().Update(ctx, lost)).To(Succeed())
		told(ctx, v1alpha1.ConditionStorageReady, "ClaimLost", "restore the PersistentVolume or use another claim")
		c.claim(ctx, "another", corev1.ClaimBound, nil)
		update(ctx, func(s *v1alpha1.FtpServerSpec) { s.Storage.PersistentVolumeClaim.ClaimName = "another" })
		mended(ctx, v1alpha1.ConditionStorageReady)
		update(ctx, func(s *v1alpha1.FtpServerSpec) { s.Storage.PersistentVolumeClaim.ClaimName = "shared" })
		lost.Status.Phase = corev1.ClaimBound // its volume was restored
		Expect(admin.Status().Update(ctx, lost)).To(Succeed())
		mended(ctx, v1alpha1.ConditionStorageReady)
	})

	It("is to declare source ranges that somebody else wrote, or to take them off by the command", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		foreign := func() *metav1.Condition {
			GinkgoHelper()
			service := &corev1.Service{ObjectMeta: c.meta("files")}
			Expect(admin.Patch(ctx, service, client.RawPatch(types.MergePatchType,
				[]byte(`{"spec":{"loadBalancerSourceRanges":["198.51.100.0/24"]}}`)), client.FieldOwner("somebody"))).To(Succeed())
			return told(ctx, v1alpha1.ConditionClientNetworksEnforced, "ForeignSourceRanges", "declare them in spec.service.loadBalancerSourceRanges")
		}
		message := foreign().Message
		update(ctx, func(s *v1alpha1.FtpServerSpec) {
			s.Service.LoadBalancerSourceRanges = []string{"198.51.100.0/24"}
			s.Service.AllocateLoadBalancerNodePorts = new(false)
		})
		mended(ctx, v1alpha1.ConditionClientNetworksEnforced)
		update(ctx, func(s *v1alpha1.FtpServerSpec) { s.Service.LoadBalancerSourceRanges = nil })
		mended(ctx, v1alpha1.ConditionClientNetworksEnforced)
		Expect(c.service(ctx, "files").Spec.LoadBalancerSourceRanges).To(BeEmpty())

		foreign()
		kubectl := regexp.MustCompile(`kubectl --namespace (\S+) patch service (\S+) --type=merge --patch='(.*)'`).FindStringSubmatch(message)
		Expect(kubectl).NotTo(BeNil(), message)
		Expect(kubectl[1:3]).To(Equal([]string{c.namespace, "files"}))
		Expect(admin.Patch(ctx, &corev1.Service{ObjectMeta: c.meta(kubectl[2])}, client.RawPatch(types.MergePatchType, []byte(kubectl[3])))).To(Succeed())
		mended(ctx, v1alpha1.ConditionClientNetworksEnforced)
		Expect(c.service(ctx, "files").Spec.LoadBalancerSourceRanges).To(BeEmpty())
	})

	DescribeTable("is to lower the range to what the load balancer takes", func(ctx context.Context, reason string, change func(*v1alpha1.FtpServerSpec)) {
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) {
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30999}
			change(&s.Spec)
		}))).To(Succeed())
		limits := told(ctx, v1alpha1.ConditionPortsWithinLimits, reason, "set spec.passive.portRange to ")
		ports := regexp.MustCompile(`set spec\.passive\.portRange to (\d+) ports`).FindStringSubmatch(limits.Message)
		Expect(ports).NotTo(BeNil(), limits.Message)
		count, err := strconv.ParseInt(ports[1], 10, 32)
		Expect(err).NotTo(HaveOccurred())
		update(ctx, func(s *v1alpha1.FtpServerSpec) {
			s.Passive.PortRange.End = s.Passive.PortRange.Start + int32(count) - 1
		})
		mended(ctx, v1alpha1.ConditionPortsWithinLimits)
	},
		Entry("listeners of an AWS NLB", "TooManyListeners", func(s *v1alpha1.FtpServerSpec) {
			s.Service.LoadBalancerClass = new("service.k8s.aws/nlb")
		}),
		Entry("rules of an Azure load balancer", "TooManyRules", func(s *v1alpha1.FtpServerSpec) {
			s.Service.Annotations = map[string]string{"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
		}),
	)

	DescribeTable("is to put the certificate right", func(ctx context.Context, remedy string, wrong func(good map[string][]byte, other []byte) map[string][]byte) {
		ca, err := pki.NewCA("clients")
		Expect(err).NotTo(HaveOccurred())
		issue := func() (certificate, key []byte) {
			certificate, key, err := ca.Issue(c.clock.Now().Add(-time.Hour), c.clock.Now().Add(90*24*time.Hour), "ftp.example.com")
			Expect(err).NotTo(HaveOccurred())
			return certificate, key
		}
		certificate, key := issue()
		_, other := issue()
		good := map[string][]byte{"tls.crt": certificate, "tls.key": key}
		secret := func(data map[string][]byte) *corev1.Secret {
			return &corev1.Secret{ObjectMeta: c.meta("files-tls"), Data: data}
		}
		if data := wrong(good, other); data != nil {
			c.put(ctx, secret(data))
		}
		c.password(ctx, "alice", "secret")
		Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) {
			s.Spec.TLS = &v1alpha1.TLSSpec{SecretName: "files-tls"}
		}))).To(Succeed())
		c.settle(ctx, "files")
		condition := c.condition(ctx, "files", v1alpha1.ConditionCertificateReady)
		Expect(condition.Status).To(Equal(metav1.ConditionFalse))
		Expect(condition.Message).To(ContainSubstring(remedy))
		c.put(ctx, secret(good))
		mended(ctx, v1alpha1.ConditionCertificateReady)
	},
		Entry("that is not there", "make it, of type kubernetes.io/tls", func(map[string][]byte, []byte) map[string][]byte { return nil }),
		Entry("whose key is not there", `key "tls.key" is missing: put `, func(good map[string][]byte, _ []byte) map[string][]byte {
			return map[string][]byte{"tls.crt": good["tls.crt"]}
		}),
		Entry("that is none", "put one there", func(good map[string][]byte, _ []byte) map[string][]byte {
			return map[string][]byte{"tls.crt": []byte("none"), "tls.key": good["tls.key"]}
		}),
		Entry("whose key is none", "put the certificate's there", func(good map[string][]byte, _ []byte) map[string][]byte {
			return map[string][]byte{"tls.crt": good["tls.crt"], "tls.key": good["tls.crt"]}
		}),
		Entry("whose key is another's", "put the two together", func(good map[string][]byte, other []byte) map[string][]byte {
			return map[string][]byte{"tls.crt": good["tls.crt"], "tls.key": other}
		}),
	)
})
