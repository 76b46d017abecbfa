package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
	"github.com/ftp-operator/ftp-operator/controllers/policy"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

var _ = Describe("passwords", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	two := func(s *v1alpha1.FtpServer) { s.Spec.Users = []v1alpha1.User{user("alice"), user("bob")} }
	// restart replaces the operator by another one with empty memory.
	restart := func(change ...func(*controllers.Options)) {
		live := c.client(c.traffic)
		o := c.options(live, live)
		for _, f := range change {
			f(&o)
		}
		c.reconcile = controllers.New(o)
	}
	remove := func(ctx context.Context, secret string) {
		GinkgoHelper()
		Expect(admin.Delete(ctx, &corev1.Secret{ObjectMeta: c.meta(secret)})).To(Succeed())
	}
	users := func(ctx context.Context) []string {
		GinkgoHelper()
		parsed, _ := c.config(ctx, "files")
		var names []string
		for _, u := range parsed.Users {
			names = append(names, u.Name)
		}
		return names
	}

	Describe("that are replaced by delete and create", func() {
		It("serve on meanwhile, so that nobody is logged out", func(ctx context.Context) {
			c.serve(ctx, c.files(two), "files-a")
			before, hash := c.config(ctx, "files")
			c.sent()

			remove(ctx, "alice-ftp")
			left := c.settle(ctx, "files")
			Expect(left).To(BeNumerically("<=", time.Minute))
			_, during := c.config(ctx, "files")
			Expect(during).To(Equal(hash))
			condition := c.condition(ctx, "files", v1alpha1.ConditionUsersReady)
			Expect(condition.Status).To(Equal(metav1.ConditionTrue))
			Expect(condition.Message).To(And(ContainSubstring("alice"), ContainSubstring("serves until 12:"), ContainSubstring("there is no Secret")))

			By("the same password again")
			c.clock.SetTime(c.clock.Now().Add(50 * time.Second))
			c.password(ctx, "alice", "correct horse of alice")
			c.settle(ctx, "files")
			after, again := c.config(ctx, "files")
			Expect(again).To(Equal(hash))
			Expect(after).To(Equal(before))
			c.clock.SetTime(c.clock.Now().Add(50 * time.Second))
			c.settle(ctx, "files")
			Expect(users(ctx)).To(ConsistOf("alice", "bob"), "the minute is over, but the password is there")
			Expect(c.condition(ctx, "files", v1alpha1.ConditionUsersReady).Message).To(Equal("2 users can log in"))
			Expect(c.sent()).To(BeEmpty())

			By("another password, and a minute of its own")
			remove(ctx, "alice-ftp")
			c.settle(ctx, "files")
			c.clock.SetTime(c.clock.Now().Add(50 * time.Second))
			c.settle(ctx, "files")
			c.password(ctx, "alice", "changed")
			c.settle(ctx, "files")
			changed, _ := c.config(ctx, "files")
			Expect(passhash.Verify(changed.Users[0].PasswordHash, "changed")).To(BeTrue())
		})

		It("end after a minute", func(ctx context.Context) {
			c.serve(ctx, c.files(two), "files-a")
			remove(ctx, "alice-ftp")
			c.settle(ctx, "files")
			c.clock.SetTime(c.clock.Now().Add(59 * time.Second))
			Expect(c.settle(ctx, "files")).To(BeNumerically("<=", time.Second))
			Expect(users(ctx)).To(ConsistOf("alice", "bob"))
			c.clock.SetTime(c.clock.Now().Add(time.Second))
			c.settle(ctx, "files")
			Expect(users(ctx)).To(ConsistOf("bob"))
			condition := c.condition(ctx, "files", v1alpha1.ConditionUsersReady)
			Expect(condition.Reason).To(Equal("PasswordMissing"))
			Expect(condition.Message).To(ContainSubstring("user alice can't log in: there is no Secret"))
		})

		It("serve on likewise when the key is gone or empty, and not when what is there is unusable", func(ctx context.Context) {
			c.serve(ctx, c.files(two), "files-a")
			secret := &corev1.Secret{ObjectMeta: c.meta("alice-ftp")}
			for _, spoil := range []func(*corev1.Secret){
				func(s *corev1.Secret) { s.Data = nil },
				func(s *corev1.Secret) { s.Data = map[string][]byte{"password": nil} },
			} {
				edit(ctx, secret, spoil)
				c.settle(ctx, "files")
				Expect(users(ctx)).To(ConsistOf("alice", "bob"))
			}
			edit(ctx, secret, func(s *corev1.Secret) { s.Data = map[string][]byte{"password": []byte("$6$salt$hash")} })
			c.settle(ctx, "files")
			Expect(users(ctx)).To(ConsistOf("bob"))
			condition := c.condition(ctx, "files", v1alpha1.ConditionUsersReady)
			Expect(condition.Reason).To(Equal("PasswordInvalid"))
			Expect(condition.Message).To(ContainSubstring("of a kind that is not supported (SHA-512 crypt"))
		})

		It("end at once when the user is removed from the spec", func(ctx context.Context) {
			c.serve(ctx, c.files(two), "files-a")
			remove(ctx, "alice-ftp")
			c.settle(ctx, "files")
			c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Users = s.Spec.Users[1:] })
			c.settle(ctx, "files")
			Expect(users(ctx)).To(ConsistOf("bob"))
		})
	})

	It("are recognised by an operator that starts, without reading or hashing one", func(ctx context.Context) {
		c.serve(ctx, c.files(two), "files-a")
		hash, err := passhash.Hash("x")
		Expect(err).NotTo(HaveOccurred())
		c.password(ctx, "bob", hash)
		c.settle(ctx, "files")
		_, before := c.config(ctx, "files")
		restart()
		hashed := c.reconcile.Hashed(nil)
		c.traffic.reset()
		_, err = c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.traffic.written()).To(BeEmpty())
		Expect(hashed.Load()).To(BeZero())
		_, after := c.config(ctx, "files")
		Expect(after).To(Equal(before))

		By("one that changed while there was none is not")
		restart()
		hashed = c.reconcile.Hashed(nil)
		c.password(ctx, "alice", "changed")
		c.settle(ctx, "files")
		Expect(hashed.Load()).To(BeNumerically("<=", 2), "to verify, and to hash")
		parsed, _ := c.config(ctx, "files")
		Expect(passhash.Verify(parsed.Users[0].PasswordHash, "changed")).To(BeTrue())
		Expect(parsed.Users[1].PasswordHash).To(Equal(hash))

		By("a hash that a hand put into the configuration is not")
		restart()
		edit(ctx, &corev1.Secret{ObjectMeta: c.meta("files-config")}, func(s *corev1.Secret) {
			parsed.Users[0].PasswordHash = hash
			s.Data["ftpd.yaml"], err = parsed.Marshal()
			Expect(err).NotTo(HaveOccurred())
		})
		c.settle(ctx, "files")
		parsed, _ = c.config(ctx, "files")
		Expect(passhash.Verify(parsed.Users[0].PasswordHash, "changed")).To(BeTrue())
	})

	It("are never waited for by routing", func(ctx context.Context) {
		c.serve(ctx, c.files(two, replicas(2)), "files-a")
		_, before := c.config(ctx, "files")
		edit(ctx, &corev1.Secret{ObjectMeta: c.meta("files-config")}, func(s *corev1.Secret) { s.Annotations = nil })

		By("an operator that starts, recognises nothing, and can't hash")
		goOn := make(chan struct{})
		restart(func(o *controllers.Options) { o.HashPatience = time.Millisecond })
		hashed := c.reconcile.Hashed(goOn)
		c.password(ctx, "bob", "changed")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Users = append(s.Spec.Users, user("eve")) })
		c.password(ctx, "eve", "new")
		c.makePod(ctx, "files", "files-b")
		pass := func() {
			GinkgoHelper()
			_, err := c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
		}
		pass()
		Expect(c.pod(ctx, "files-b").Annotations).To(HaveKey(v1alpha1.PassivePortsAnnotation))
		c.startPod(ctx, "files-b")
		pass()
		c.clock.SetTime(c.clock.Now().Add(3 * time.Second)) // for the routing to settle
		pass()
		slice := &discoveryv1.EndpointSlice{}
		Expect(admin.Get(ctx, c.key("files-b"), slice)).To(Succeed())
		Expect(slice.Endpoints[0].Conditions.Ready).To(Equal(new(true)))
		Expect(podConditionTrue(c.pod(ctx, "files-b"), v1alpha1.RoutedConditionType)).To(BeTrue())
		Expect(hashed.Load()).To(BeZero())
		_, during := c.config(ctx, "files")
		Expect(during).To(Equal(before), "the former hashes serve on")
		Expect(users(ctx)).To(ConsistOf("alice", "bob"))
		condition := c.condition(ctx, "files", v1alpha1.ConditionUsersReady)
		Expect(condition.Status).To(Equal(metav1.ConditionUnknown))
		Expect(condition.Reason).To(Equal("HashingPasswords"))
		Expect(condition.Message).To(ContainSubstring("eve"))

		By("once it can")
		close(goOn)
		Eventually(func(g Gomega) {
			pass()
			parsed, _ := c.config(ctx, "files")
			g.Expect(parsed.Users).To(HaveLen(3))
			g.Expect(passhash.Verify(parsed.Users[1].PasswordHash, "changed")).To(BeTrue())
		}, soon).Should(Succeed())
		Expect(c.condition(ctx, "files", v1alpha1.ConditionUsersReady).Status).To(Equal(metav1.ConditionTrue))
	})

	It("don't log everybody out while an operator that starts finds no configuration", func(ctx context.Context) {
		c.serve(ctx, c.files(two), "files-a")
		goOn := make(chan struct{})
		restart(func(o *controllers.Options) { o.HashPatience = time.Millisecond })
		hashed := c.reconcile.Hashed(goOn)
		remove(ctx, "files-config")
		unwritten := func(why string) {
			GinkgoHelper()
			_, err := c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
			Expect(admin.Get(ctx, c.key("files-config"), &corev1.Secret{})).NotTo(Succeed(), why)
		}
		unwritten("a configuration without users")
		goOn <- struct{}{} // allows one of the two hashes
		Eventually(hashed.Load, soon).Should(BeEquivalentTo(1))
		unwritten("a configuration without one of its users")
		close(goOn)
		Eventually(func(g Gomega) {
			_, err := c.pass(ctx, "files")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(admin.Get(ctx, c.key("files-config"), &corev1.Secret{})).To(Succeed())
		}, soon).Should(Succeed())
		Expect(users(ctx)).To(ConsistOf("alice", "bob"))
	})

	Describe("where the administrator restricts FtpServers", func() {
		restricted := func(o *controllers.Options) {
			o.Policy = policy.Policy{Images: []string{"registry.example.com/ftp-operator:*"}, PriorityClasses: []string{}, RequireSecretLabel: true}
		}
		allow := func(ctx context.Context, secret string) {
			GinkgoHelper()
			edit(ctx, &corev1.Secret{ObjectMeta: c.meta(secret)}, func(s *corev1.Secret) { s.Labels = map[string]string{v1alpha1.AllowLabel: "true"} })
		}

		It("come of labelled Secrets only, and nothing is told of the others", func(ctx context.Context) {
			restart(restricted)
			c.password(ctx, "bob", "fine")
			c.put(ctx, &corev1.Secret{ObjectMeta: c.meta("alice-ftp"), Data: map[string][]byte{"password": []byte("two\nlines")}})
			Expect(admin.Create(ctx, c.files(two))).To(Succeed())
			c.settle(ctx, "files")
			Expect(users(ctx)).To(BeEmpty())
			there := c.condition(ctx, "files", v1alpha1.ConditionUsersReady)
			Expect(there.Reason).To(Equal("PasswordMissing"))
			Expect(there.Message).To(ContainSubstring(`there is no Secret ` + c.namespace + `/alice-ftp with the label ftp-operator.io/allow-ftpservers: "true"`))
			remove(ctx, "alice-ftp")
			c.settle(ctx, "files")
			Expect(c.condition(ctx, "files", v1alpha1.ConditionUsersReady).Message).To(Equal(there.Message))

			By("the remedy that the message names")
			c.password(ctx, "alice", "here")
			allow(ctx, "alice-ftp")
			allow(ctx, "bob-ftp")
			c.settle(ctx, "files")
			Expect(users(ctx)).To(ConsistOf("alice", "bob"))
		})

		It("pods are not made of what is not allowed, and those that run go on", func(ctx context.Context) {
			c.serve(ctx, c.files(two), "files-a")
			for _, name := range []string{"alice-ftp", "bob-ftp"} {
				allow(ctx, name)
			}
			c.settle(ctx, "files")
			restart(restricted)
			generation := c.deployment(ctx, "files").Generation
			c.update(ctx, "files", func(s *v1alpha1.FtpServer) {
				s.Spec.Image, s.Spec.Template.PriorityClassName = "evil.example.com/x:1", "system-node-critical"
			})
			c.password(ctx, "alice", "changed")
			allow(ctx, "alice-ftp")
			c.settle(ctx, "files")
			Expect(c.deployment(ctx, "files").Generation).To(Equal(generation))
			stalled := c.condition(ctx, "files", v1alpha1.ConditionStalled)
			Expect(stalled.Reason).To(Equal("NotAllowed"))
			Expect(stalled.Message).To(And(HavePrefix("spec.image: "), ContainSubstring("registry.example.com/ftp-operator:*")))
			Expect(kstatusOf(ctx, c, "files")).To(Equal("Failed"))
			parsed, _ := c.config(ctx, "files")
			Expect(passhash.Verify(parsed.Users[0].PasswordHash, "changed")).To(BeTrue(), "users can still be changed")
			Expect(c.condition(ctx, "files", v1alpha1.ConditionAvailable).Status).To(Equal(metav1.ConditionTrue))

			By("the remedies that the messages name, one by one")
			c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Image = "registry.example.com/ftp-operator:2" })
			c.settle(ctx, "files")
			Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Message).To(HavePrefix("spec.template.priorityClassName: "))
			c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Template.PriorityClassName = "" })
			c.settle(ctx, "files")
			Expect(c.deployment(ctx, "files").Spec.Template.Spec.Containers[0].Image).To(Equal("registry.example.com/ftp-operator:2"))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(Equal(metav1.ConditionStatus("absent")))
		})
	})
})
