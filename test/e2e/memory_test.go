package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/crypto/argon2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

const (
	// floodClients guess passwords at the same time, in floodSessions sessions each. A session ends at its fifth
	// guess.
	floodClients, floodSessions, floodGuesses = 16, 1, 5
	// heavyKiB is the largest memory that a stored argon2id hash may require.
	heavyKiB = 64 << 10
)

// heavyHash returns a hash of the password whose verification takes 64 MiB.
func heavyHash(password string) string {
	GinkgoHelper()
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, 1, heavyKiB, 1, 32)
	text := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=1,p=1$%s$%s", argon2.Version, heavyKiB, text.EncodeToString(salt), text.EncodeToString(key))
}

// guess tries wrong passwords in one session until the server ends it.
func guess(ctx context.Context, address string, names []string, n int) (tried int, err error) {
	c, err := ftpclient.Connect(ctx, inPod, address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	c.Patience = specTimeout / 2 // its guesses wait in a queue
	for i := range floodGuesses {
		if _, err := c.Command(331, "USER %s", names[(n+i)%len(names)]); err != nil {
			return tried, err
		}
		if err := c.Send(fmt.Sprintf("PASS wrong %d %d", n, i)); err != nil {
			return tried, err
		}
		code, text, err := c.Reply()
		if err != nil {
			return tried, err
		}
		if code != 530 && code != 421 {
			return tried, fmt.Errorf("a wrong password is answered by %d %s", code, text)
		}
		tried++
	}
	return tried, nil
}

var _ = Describe("A pod of 128Mi", func() {
	It("outlives floods of wrong passwords, with hashes that take 64 MiB among them, stays ready, and lets users in", func(ctx SpecContext) {
		off := false
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Template.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")}
			s.Spec.Bans.Enabled = &off // bans would act before the effect under test
			setPassword(ctx, s.Namespace, "heavy", heavyHash(password))
			s.Spec.Users = append(s.Spec.Users, ftpUser("heavy"))
		})
		waitReady(ctx, server)
		pod := onePod(ctx, server)
		running := login(ctx, inPod, server)
		running.Patience = specTimeout / 2
		address := controlAddress(server)

		By("guessing")
		var flood sync.WaitGroup
		var tried atomic.Int64
		failed := make(chan error, floodClients)
		for i := range floodClients {
			flood.Go(func() {
				for j := range floodSessions {
					n, err := guess(ctx, address, []string{"heavy", user, "nobody"}, i*floodSessions+j)
					tried.Add(int64(n))
					if err != nil && !errors.Is(err, io.EOF) {
						failed <- fmt.Errorf("client %d: %w", i, err)
						return
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { flood.Wait(); close(done) }()

		By("transferring, logging in, and looking at the pod meanwhile")
		during := 0
		for over := false; !over; during++ {
			select {
			case <-done:
				over = true
			default:
			}
			name := []string{user, "heavy"}[during%2]
			late, err := ftpclient.Connect(ctx, inPod, address)
			Expect(err).NotTo(HaveOccurred())
			late.Patience = specTimeout / 2
			_, err = late.Command(331, "USER %s", name)
			Expect(err).NotTo(HaveOccurred())
			_, err = late.Command(230, "PASS %s", password)
			Expect(err).NotTo(HaveOccurred(), "login of %s", name)
			Expect(late.Quit()).To(Succeed())
			expectTransfer(ctx, running, ftpclient.EPSV)
			now := corev1.Pod{}
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(&pod), &now)).To(Succeed())
			Expect(podIsReady(&now)).To(BeTrue(), "the pod stays ready: %+v", now.Status.Conditions)
		}
		close(failed)
		for err := range failed {
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(tried.Load()).To(BeEquivalentTo(floodClients * floodSessions * floodGuesses))

		By("looking at what is left")
		Expect(running.Quit()).To(Succeed())
		expectTransfer(ctx, login(ctx, inPod, server), ftpclient.PASV)
		expectSamePod(ctx, server, pod)
		now := onePod(ctx, server)
		Expect(now.Status.ContainerStatuses).To(HaveLen(1))
		Expect(now.Status.ContainerStatuses[0].RestartCount).To(BeZero())
		Expect(now.Status.ContainerStatuses[0].LastTerminationState.Terminated).To(BeNil())
	}, SpecTimeout(specTimeout))
})
