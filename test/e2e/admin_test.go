package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/manage"
)

var _ = Describe("The management API", func() {
	It("tells of sessions and ends one, by kubectl port-forward", func(ctx SpecContext) {
		server := newServer(ctx, nil)
		waitReady(ctx, server)
		c := login(ctx, inPod, server)
		api := forward(ctx, onePod(ctx, server), 8022)

		var body struct{ Sessions []ftpd.SessionInfo }
		Expect(callAPI(ctx, http.MethodGet, api+"/v1/sessions", &body)).To(Equal(http.StatusOK))
		Expect(body.Sessions).To(HaveLen(1))
		Expect(body.Sessions[0].User).To(Equal(user))
		Expect(body.Sessions[0].State).To(Equal(ftpd.SessionIdle))

		Expect(callAPI(ctx, http.MethodDelete, fmt.Sprintf("%s/v1/sessions/%d", api, body.Sessions[0].ID), nil)).To(Equal(http.StatusNoContent))
		code, text, err := c.Reply()
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(421), text)
	}, SpecTimeout(specTimeout))
})

// forward runs kubectl port-forward until the test ends, and returns the URL of its local end.
func forward(ctx context.Context, pod corev1.Pod, port int) string {
	GinkgoHelper()
	command := exec.Command(env.kubectl, "--kubeconfig", env.kubeconfig, "--namespace", pod.Namespace, //nolint:gosec // ours
		"port-forward", "--address", "127.0.0.1", "pod/"+pod.Name, fmt.Sprintf(":%d", port))
	out, err := command.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(command.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- line
	}()
	var line string
	Eventually(ctx, said).Should(Receive(&line))
	local, _, found := strings.Cut(strings.TrimPrefix(line, "Forwarding from "), " -> ")
	Expect(found).To(BeTrue(), "kubectl port-forward says %q", line)
	return "http://" + local
}

// callAPI sends a request to the management API, and decodes the answer into body if body is not nil.
func callAPI(ctx context.Context, method, url string, body any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set(manage.Header, "yes")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if body != nil {
		err = json.NewDecoder(resp.Body).Decode(body)
	}
	return resp.StatusCode, err
}
