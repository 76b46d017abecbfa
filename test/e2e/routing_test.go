package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/auditlog"
	"github.com/ftp-operator/ftp-operator/test/e2e/load"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
	"github.com/ftp-operator/ftp-operator/test/pki"
)

const (
	// generationAnnotation is changed to cause a rollout.
	generationAnnotation = "example.com/generation"
	// routingTimeout bounds a test under load.
	routingTimeout = 10 * time.Minute
	// slowTransfer is the duration of some transfers during the changes.
	slowTransfer = 15 * time.Second
)

// drainedLabel is on the pods to be evicted when a node is drained: kubectl's selector applies in all namespaces.
const drainedLabel = "e2e.ftp-operator.io/drained"

var _ = Describe("Three pods on two nodes behind one address", Ordered, ContinueOnFailure, func() {
	var (
		ca     *pki.CA
		server *v1alpha1.FtpServer
		rows   []row
	)

	BeforeAll(func(ctx SpecContext) {
		needSeveralNodes(ctx)
		var err error
		ca, err = pki.NewCA("e2e")
		Expect(err).NotTo(HaveOccurred())
		server = newServer(ctx, func(s *v1alpha1.FtpServer) {
			setCertificate(ctx, s.Namespace, ca, hostName)
			three, grace := int32(3), int64(300)
			s.Spec.Replicas = &three
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30063}
			s.Spec.TLS = &v1alpha1.TLSSpec{SecretName: certificateSecret, Mode: v1alpha1.TLSOptional}
			s.Spec.Template.TerminationGracePeriodSeconds = &grace
			s.Spec.Template.Metadata.Labels = map[string]string{drainedLabel: "true"}
			s.Spec.Storage = manyPodsStorage()
		})
		waitReady(ctx, server)
		expectOnSeveralNodes(ctx, server)
	}, NodeTimeout(specTimeout))

	AfterAll(func() {
		if len(rows) > 0 {
			GinkgoWriter.Printf("The table of docs/routing.md, %d clients:\n%s", env.loadClients, table(rows))
		}
	})

	// loadOf returns the load on an address.
	loadOf := func(address, dir string) load.Config {
		return load.Config{
			Network: ftpclient.Host{}, Address: address, User: user, Password: password,
			TLS: &tls.Config{RootCAs: ca.Pool, ServerName: hostName, MinVersion: tls.VersionTLS12},
			Dir: dir, Clients: env.loadClients, PerSession: 10, MaxSize: 256 << 10,
			RetryAfter: 500 * time.Millisecond, Seed: uint64(GinkgoRandomSeed()), Unreachable: unreachable,
		}
	}

	It("carry thousands of transfers, each to the pod that named its port", func(ctx SpecContext) {
		logs := follow(ctx, server)
		cfg := loadOf(controlAddress(server), "steady-")
		cfg.Transfers = env.loadSize
		report := load.Start(ctx, cfg).Wait()
		sum := tell("without changes", report)
		Expect(sum.Outcomes).To(Equal(map[load.Outcome]int{load.Completed: env.loadSize}), report.Failures(20))
		Expect(sum.Refused).To(BeZero(), report.Failures(20))
		expectTraced(ctx, report, logs)
		for _, log := range auditLogs(logs) {
			Expect(log.Sessions).NotTo(BeEmpty(), "sessions on pod %s", log.Pod)
		}
		rows = append(rows, row{"FtpServer", "none", sum})
	}, SpecTimeout(routingTimeout))

	It("do what a plain Deployment behind a plain Service can't do", func(ctx SpecContext) {
		for _, one := range []struct {
			name, dir string
			target    target
		}{
			{"FtpServer", "ours-", ofServer(server)},
			{"Deployment, Service", "plain-", newPlain(ctx, server, corev1.ServiceAffinityNone)},
			{"Deployment, Service with `sessionAffinity: ClientIP`", "sticky-", newPlain(ctx, server, corev1.ServiceAffinityClientIP)},
		} {
			for _, change := range []struct {
				name string
				do   func(context.Context)
			}{{"none", nil}, {"one rollout", one.target.roll}} {
				By(one.name + ", changes: " + change.name)
				cfg := loadOf(one.target.address, one.dir+strings.ReplaceAll(change.name, " ", "-")+"-")
				if one.target.remove != nil {
					// With a plain Deployment each failure costs the client this time.
					cfg.Patience = 2 * time.Second
					cfg.Unreachable = nil // they are expected
				}
				cfg.Pause = 100 * time.Millisecond
				cfg.Transfers = env.loadSize / 8
				if change.do != nil {
					cfg.Transfers = 0
				}
				running := load.Start(ctx, cfg)
				if change.do != nil {
					Eventually(ctx, running.Tried).Should(BeNumerically(">", cfg.Clients))
					change.do(ctx)
					running.Stop()
				}
				report := running.Wait()
				sum := tell(one.name+", changes: "+change.name, report)
				rows = append(rows, row{one.name, change.name, sum})
				if one.target.remove == nil {
					Expect(sum.Outcomes).To(Equal(map[load.Outcome]int{load.Completed: sum.Transfers}), report.Failures(20))
					Expect(sum.RefusedAgain).To(BeZero(), report.Failures(20))
				}
			}
			if one.target.remove != nil {
				one.target.remove(ctx)
			}
		}
		for _, r := range rows {
			if !strings.HasPrefix(r.server, "FtpServer") {
				// Two thirds are expected, except with affinity, where clients that happen to be routed right make
				// more transfers.
				Expect(r.Outcomes[load.Misrouted]+r.Outcomes[load.Wrong]).To(BeNumerically(">", r.Transfers/20), "a plain Deployment that works: docs/routing.md is wrong")
			}
		}
	}, SpecTimeout(routingTimeout))

	It("lose nothing while they roll, scale and are drained", func(ctx SpecContext) {
		logs := follow(ctx, server)
		cfg := loadOf(controlAddress(server), "changing-")
		cfg.Pause = 300 * time.Millisecond
		cfg.Slow, cfg.SlowSize, cfg.SlowTime = 4, 8<<20, slowTransfer
		running := load.Start(ctx, cfg)
		Eventually(ctx, running.Tried).Should(BeNumerically(">", cfg.Clients))

		for i := range 3 {
			By("rolling, " + strconv.Itoa(i+1))
			roll(ctx, server, strconv.Itoa(i+1))
		}
		for _, n := range []int32{5, 2} {
			By(fmt.Sprintf("scaling to %d", n))
			kubectl(ctx, "scale", "ftpserver", server.Name, "--namespace", server.Namespace, "--replicas", strconv.Itoa(int(n)))
			waitPods(ctx, server, int(n), nil)
		}
		node := pods(ctx, server)[0].Spec.NodeName
		By("draining node " + node)
		DeferCleanup(func(ctx SpecContext) { kubectl(ctx, "uncordon", node) }, NodeTimeout(time.Minute))
		kubectl(ctx, "drain", node, "--pod-selector", drainedLabel+"=true", "--ignore-daemonsets", "--timeout", "180s")
		waitPods(ctx, server, 2, func(pod *corev1.Pod) bool { return pod.Spec.NodeName != node })
		kubectl(ctx, "uncordon", node)
		Eventually(ctx, running.Tried).WithTimeout(routingTimeout / 2).Should(BeNumerically(">=", env.loadSize))

		report := running.Stop()
		sum := tell("while all changed", report)
		rows = append(rows, row{"FtpServer", "3 rollouts, 3 to 5 to 2 pods, a node drained", sum})
		Expect(sum.Outcomes).To(HaveLen(1), "only completed ones: %s", report.Failures(20))
		Expect(sum.Outcomes).To(HaveKey(load.Completed))
		Expect(sum.RefusedAgain).To(BeZero(), "sessions refused for longer than a retry: %s", report.Failures(20))
		Expect(sum.LongestTransfer).To(BeNumerically(">=", slowTransfer), "the slow transfers")
		expectTraced(ctx, report, logs)
	}, SpecTimeout(routingTimeout))
})

// needSeveralNodes skips the test, with a message that says what this cluster lacks.
func needSeveralNodes(ctx context.Context) {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(k8s.List(ctx, nodes)).To(Succeed())
	schedulable := 0
	for i := range nodes.Items {
		if !nodes.Items[i].Spec.Unschedulable {
			schedulable++
		}
	}
	switch {
	case schedulable < 2:
		Skip("NOT TESTED: several pods behind one address: this cluster has no two nodes (NODES=2 for the local one)")
	case !env.loadBalancers.IsValid():
		Skip("NOT TESTED: several pods behind one address: this machine reaches no load balancer address (E2E_LB_CIDR)")
	case env.sharedClass == "":
		Skip("NOT TESTED: several pods behind one address: no class of volumes that nodes share is named (E2E_SHARED_CLASS)")
	}
}

// expectOnSeveralNodes proves that the pods are on several nodes.
func expectOnSeveralNodes(ctx context.Context, server *v1alpha1.FtpServer) {
	GinkgoHelper()
	nodes := map[string]int{}
	for _, pod := range pods(ctx, server) {
		nodes[pod.Spec.NodeName]++
	}
	Expect(len(nodes)).To(BeNumerically(">", 1), "pods by node: %v", nodes)
}

// roll changes the pods' template, and waits until all pods have the new one and are ready.
func roll(ctx context.Context, server *v1alpha1.FtpServer, value string) {
	GinkgoHelper()
	update(ctx, server, func(s *v1alpha1.FtpServer) {
		s.Spec.Template.Metadata.Annotations = map[string]string{generationAnnotation: value}
	})
	waitPods(ctx, server, int(*server.Spec.Replicas), func(pod *corev1.Pod) bool { return pod.Annotations[generationAnnotation] == value })
}

// waitPods waits until exactly n pods are not terminating, all ready and as wanted.
func waitPods(ctx context.Context, server *v1alpha1.FtpServer, n int, wanted func(*corev1.Pod) bool) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		staying := 0
		for _, pod := range pods(ctx, server) {
			if pod.DeletionTimestamp != nil {
				continue
			}
			staying++
			g.Expect(podIsReady(&pod)).To(BeTrue(), "pod %s: %+v", pod.Name, pod.Status.Conditions)
			g.Expect(wanted == nil || wanted(&pod)).To(BeTrue(), "pod %s is not yet a new one", pod.Name)
		}
		g.Expect(staying).To(Equal(n), "pods that stay")
	}).WithTimeout(routingTimeout / 2).WithPolling(pollSlowly).Should(Succeed())
}

// follow reads the audit logs of the server's pods until the test ends.
func follow(ctx context.Context, server *v1alpha1.FtpServer) *auditlog.Follower {
	logs := auditlog.Follow(ctx, clientset, server.Namespace, metav1.FormatLabelSelector(&metav1.LabelSelector{
		MatchLabels: map[string]string{v1alpha1.ServerLabel: server.Name, "app.kubernetes.io/name": "ftpd"},
	}))
	DeferCleanup(logs.Stop)
	return logs
}

func auditLogs(logs *auditlog.Follower) []load.PodLog {
	GinkgoHelper()
	all, err := logs.Logs()
	Expect(err).NotTo(HaveOccurred(), "reading the audit logs")
	return all
}

// expectTraced proves that every data connection reached the pod that named its port.
func expectTraced(ctx context.Context, report *load.Report, logs *auditlog.Follower) {
	GinkgoHelper()
	Eventually(ctx, func() []string { return load.Trace(report, auditLogs(logs)) }).
		WithTimeout(30*time.Second).WithPolling(pollSlowly).Should(BeEmpty(), "what clients and audit logs say differently")
}

// tell writes a summary to the test's output.
func tell(what string, report *load.Report) load.Summary {
	sum := report.Summary()
	GinkgoWriter.Printf("%s, %v: %v\n", what, report.Elapsed.Round(time.Second), sum)
	if failures := report.Failures(10); failures != "" {
		GinkgoWriter.Println(failures)
	}
	return sum
}
