package controllers_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/daemonclient"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

var _ = Describe("configuration", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	two := func(s *v1alpha1.FtpServer) { s.Spec.Users = []v1alpha1.User{user("alice"), user("bob")} }

	It("hashes a changed password anew, and only that", func(ctx context.Context) {
		c.serve(ctx, c.files(two), "files-a")
		before, hashBefore := c.config(ctx, "files")
		c.password(ctx, "alice", "changed")
		c.settle(ctx, "files")
		after, hashAfter := c.config(ctx, "files")

		Expect(hashAfter).NotTo(Equal(hashBefore))
		Expect(passhash.Verify(after.Users[0].PasswordHash, "changed")).To(BeTrue())
		Expect(after.Users[1]).To(Equal(before.Users[1]))
		Expect(c.pod(ctx, "files-a").Annotations).To(HaveKeyWithValue(v1alpha1.ConfigHashAnnotation, hashAfter))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
	})

	It("keeps the hash of a password that was written again", func(ctx context.Context) {
		c.serve(ctx, c.files(), "files-a")
		_, before := c.config(ctx, "files")
		edit(ctx, &corev1.Secret{ObjectMeta: c.meta("alice-ftp")}, func(s *corev1.Secret) {
			s.Data["password"] = append(s.Data["password"], '\n') // as an editor adds
		})
		c.traffic.reset()
		_, err := c.pass(ctx, "files")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.traffic.written()).To(HaveLen(1), "that the hash is of the Secret's new version")
		c.settle(ctx, "files")
		_, after := c.config(ctx, "files")
		Expect(after).To(Equal(before))
	})

	It("takes a hash as it is", func(ctx context.Context) {
		hash, err := passhash.Hash("secret")
		Expect(err).NotTo(HaveOccurred())
		c.serve(ctx, c.files())
		c.password(ctx, "alice", hash)
		c.settle(ctx, "files")
		parsed, _ := c.config(ctx, "files")
		Expect(parsed.Users[0].PasswordHash).To(Equal(hash))
	})

	DescribeTable("leaves a user without a usable password out, and says so",
		func(ctx context.Context, data map[string][]byte, reason, part string) {
			c.password(ctx, "bob", "fine")
			if data != nil {
				c.put(ctx, &corev1.Secret{ObjectMeta: c.meta("alice-ftp"), Data: data})
			}
			Expect(admin.Create(ctx, c.files(two))).To(Succeed())
			c.settle(ctx, "files")

			parsed, _ := c.config(ctx, "files")
			Expect(parsed.Users).To(HaveLen(1))
			Expect(parsed.Users[0].Name).To(Equal("bob"))
			users := c.condition(ctx, "files", v1alpha1.ConditionUsersReady)
			Expect(users.Status).To(Equal(metav1.ConditionFalse))
			Expect(users.Reason).To(Equal(reason))
			Expect(users.Message).To(And(ContainSubstring("alice"), ContainSubstring(part)))
			Expect(c.server(ctx, "files").Status.Users).To(Equal(int32(1)))
			if reason == "PasswordMissing" {
				expectEventAfterGrace(ctx, c, reason)
			} else {
				expectEvent(c, reason)
			}

			c.password(ctx, "alice", "here now")
			c.settle(ctx, "files")
			parsed, _ = c.config(ctx, "files")
			Expect(parsed.Users).To(HaveLen(2))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionUsersReady).Status).To(Equal(metav1.ConditionTrue))
			expectEvent(c, "2 users can log in")
		},
		Entry("no Secret", nil, "PasswordMissing", "there is no Secret"),
		Entry("no such key", map[string][]byte{"pass": []byte("x")}, "PasswordMissing", "does not exist"),
		Entry("empty", map[string][]byte{"password": []byte("\n")}, "PasswordMissing", "is empty"),
		Entry("two lines", map[string][]byte{"password": []byte("a\nb")}, "PasswordInvalid", "several lines"),
		Entry("half a hash", map[string][]byte{"password": []byte("$2b$10$short")}, "PasswordInvalid", "begins like a hash"),
	)

	It("puts no password into a status, an event or a log", func(ctx context.Context) {
		c.serve(ctx, c.files(two), "files-a")
		c.password(ctx, "alice", "s3cr3t\nline")
		c.settle(ctx, "files")
		Expect(c.server(ctx, "files").Status.Conditions).NotTo(ContainElement(HaveField("Message", ContainSubstring("s3cr3t"))))
		Expect(c.sent()).NotTo(ContainElement(ContainSubstring("s3cr3t")))
		logged := CurrentSpecReport().CapturedGinkgoWriterOutput
		Expect(logged).To(ContainSubstring("applied"), "or no log is looked at")
		Expect(logged).NotTo(ContainSubstring("s3cr3t"))
	})

	It("takes a removed user out", func(ctx context.Context) {
		c.serve(ctx, c.files(two), "files-a")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Users = s.Spec.Users[1:] })
		c.settle(ctx, "files")
		parsed, _ := c.config(ctx, "files")
		Expect(parsed.Users).To(HaveLen(1))
		Expect(parsed.Users[0].Name).To(Equal("bob"))
	})

	Describe("as the daemons take it", func() {
		It("polls a pod that is late, touches it again, and then rests", func(ctx context.Context) {
			c.serve(ctx, c.files(), "files-a")
			_, old := c.config(ctx, "files")
			c.daemons.set(func(_ string, good *config.Status) (*config.Status, error) {
				good.ConfigHash = old
				return good, nil
			})
			c.password(ctx, "alice", "changed")
			Expect(c.settle(ctx, "files")).To(Equal(time.Second))
			loaded := c.condition(ctx, "files", v1alpha1.ConditionConfigLoaded)
			Expect(loaded.Status).To(Equal(metav1.ConditionFalse))
			Expect(loaded.Reason).To(Equal("ConfigUpdating"))
			Expect(kstatusOf(ctx, c, "files")).To(Equal("InProgress"))
			Expect(c.pod(ctx, "files-a").Annotations).NotTo(HaveKey(v1alpha1.ConfigTouchAnnotation))

			c.clock.SetTime(c.clock.Now().Add(6 * time.Second))
			result, err := c.pass(ctx, "files")
			Expect(err).NotTo(HaveOccurred())
			Expect(result.RequeueAfter).To(BeNumerically("<", time.Second), "to touch it")
			c.settle(ctx, "files")
			first := c.pod(ctx, "files-a").Annotations[v1alpha1.ConfigTouchAnnotation]
			Expect(first).NotTo(BeEmpty())
			c.clock.SetTime(c.clock.Now().Add(11 * time.Second))
			c.settle(ctx, "files")
			c.settle(ctx, "files")
			Expect(c.pod(ctx, "files-a").Annotations[v1alpha1.ConfigTouchAnnotation]).NotTo(Equal(first))

			c.daemons.set(nil)
			Expect(c.settle(ctx, "files")).To(BeNumerically(">=", 30*time.Second))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
		})

		It("tells of one that refuses it", func(ctx context.Context) {
			c.serve(ctx, c.files(), "files-a")
			c.daemons.set(func(_ string, good *config.Status) (*config.Status, error) {
				good.RejectedHash, good.ConfigHash, good.ConfigError = good.ConfigHash, "old", "users[0].home: unsafe"
				return good, nil
			})
			Expect(c.settle(ctx, "files")).To(BeNumerically(">=", 15*time.Second), "the daemon tries again by itself")
			loaded := c.condition(ctx, "files", v1alpha1.ConditionConfigLoaded)
			Expect(loaded.Reason).To(Equal("ConfigRejected"))
			Expect(loaded.Message).To(ContainSubstring("users[0].home: unsafe"))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionStalled).Status).To(Equal(metav1.ConditionTrue))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionAvailable).Status).To(Equal(metav1.ConditionTrue), "the old one serves on")
		})

		It("is not held up by pods out of its reach", func(ctx context.Context) {
			c.daemons.set(func(string, *config.Status) (*config.Status, error) { return nil, errors.New("no route to host") })
			c.serve(ctx, c.files(), "files-a")
			Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Reason).To(Equal("ConfigUpdating"), "nothing is known as yet")
			Expect(c.settle(ctx, "files")).To(Equal(time.Second))
			c.clock.SetTime(c.clock.Now().Add(6 * time.Second))
			Expect(c.settle(ctx, "files")).To(BeNumerically(">", time.Second))
			loaded := c.condition(ctx, "files", v1alpha1.ConditionConfigLoaded)
			Expect(loaded.Status).To(Equal(metav1.ConditionUnknown))
			Expect(loaded.Reason).To(Equal("PodsUnreachable"))
			Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
			Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
		})
	})
})

var _ daemonclient.Client = &fakeDaemons{}
