package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// reconciles returns the number of reconciles of the manager's controller so far, with any result.
func (c *cluster) reconciles() int {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	total := 0.0
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "controller" && label.GetValue() == c.namespace {
					total += m.GetCounter().GetValue()
				}
			}
		}
	}
	return int(total)
}

// atOnce calls do for 1 to n, in 16 goroutines.
func atOnce(n int, do func(i int)) {
	next := make(chan int)
	var wait sync.WaitGroup
	for range 16 {
		wait.Add(1)
		go func() {
			defer GinkgoRecover()
			defer wait.Done()
			for i := range next {
				do(i)
			}
		}()
	}
	for i := 1; i <= n; i++ {
		next <- i
	}
	close(next)
	wait.Wait()
}

// killAPIServer kills the API server of these tests, as a crash would.
func killAPIServer() {
	GinkgoHelper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		text, _ := os.ReadFile(file) // the process may be gone by now
		var pid, parent int
		var name, state string
		if n, _ := fmt.Sscan(string(text), &pid, &name, &state, &parent); n == 4 && parent == os.Getpid() && name == "(kube-apiserver)" {
			Expect(syscall.Kill(pid, syscall.SIGKILL)).To(Succeed())
			return
		}
	}
	Fail("there is no process of kube-apiserver that these tests started")
}

var _ = Describe("a whole manager in bad times", func() {
	var c *cluster
	BeforeEach(func(ctx context.Context) { c = newCluster(ctx) })

	It("makes one pass of a thousand events", func(ctx context.Context) {
		c.manage(operatorConfig, c.namespace)
		c.serveManaged(ctx, c.files(), "files-a")
		c.quiet()
		before := c.reconciles()
		Expect(before).To(BeNumerically(">", 0), "or the counter counts nothing")

		// One pass is blocked at its first write while the events arrive.
		held, release := make(chan struct{}), make(chan struct{})
		c.traffic.hold(func() { close(held); <-release })
		edit(ctx, c.service(ctx, "files"), func(s *corev1.Service) { s.Spec.Ports = s.Spec.Ports[:5] })
		Eventually(held, soon).Should(BeClosed())
		const events = 1000
		service := c.service(ctx, "files")
		atOnce(events, func(i int) {
			patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/event":"%d"}}}`, i)
			Expect(admin.Patch(ctx, service.DeepCopy(), client.RawPatch(types.MergePatchType, patch))).To(Succeed())
		})
		last := c.service(ctx, "files").ResourceVersion
		Eventually(func(g Gomega) {
			seen := &corev1.Service{}
			g.Expect(c.cached.Get(ctx, c.key("files"), seen)).To(Succeed())
			g.Expect(seen.ResourceVersion).To(Equal(last))
		}, soon).Should(Succeed(), "the manager should have seen them all")
		close(release)
		Eventually(func() int { return len(c.service(ctx, "files").Spec.Ports) }, soon).Should(Equal(11))
		c.quiet()
		// The allowed passes: the blocked one, one for all events, and a few for what these two wrote.
		Expect(c.reconciles() - before).To(BeNumerically("<=", 8))
	})

	It("makes no pass at all of what is none of its business", func(ctx context.Context) {
		c.manage(operatorConfig, c.namespace)
		c.serveManaged(ctx, c.files(), "files-a")
		c.quiet()
		before := c.reconciles()
		pod := c.pod(ctx, "files-a")
		atOnce(150, func(i int) {
			patch := fmt.Appendf(nil, `{"status":{"conditions":[{"type":"Ready","lastProbeTime":"2026-10-01T12:%02d:%02dZ"}]}}`, i/60, i%60)
			Expect(admin.Status().Patch(ctx, pod.DeepCopy(), client.RawPatch(types.StrategicMergePatchType, patch))).To(Succeed())
			Expect(admin.Create(ctx, &corev1.Secret{ObjectMeta: c.meta(fmt.Sprintf("other-%d", i))})).To(Succeed())
		})
		c.quiet()
		Expect(c.reconciles()).To(Equal(before))
	})

	It("goes on where it was when the API server comes back", func(ctx context.Context) {
		c.manage(operatorConfig, c.namespace)
		c.serveManaged(ctx, c.files(), "files-a")
		c.quiet()
		ports, generation := c.pod(ctx, "files-a").Annotations[v1alpha1.PassivePortsAnnotation], c.deployment(ctx, "files").Generation
		_, hash := c.config(ctx, "files")

		killAPIServer()
		server := env.ControlPlane.GetAPIServer()
		Eventually(server.Stop, soon).Should(Succeed()) // notices that the process is dead
		Expect(admin.Get(ctx, c.key("files"), &v1alpha1.FtpServer{})).NotTo(Succeed(), "or nothing was killed")
		Expect(server.Start()).To(Succeed())

		Expect(admin.DeleteAllOf(ctx, &discoveryv1.EndpointSlice{}, client.InNamespace(c.namespace))).To(Succeed())
		c.password(ctx, "alice", "changed")
		Eventually(func(g Gomega) {
			g.Expect(admin.Get(ctx, c.key("files-a"), &discoveryv1.EndpointSlice{})).To(Succeed())
			secret := &corev1.Secret{}
			g.Expect(admin.Get(ctx, c.key("files-config"), secret)).To(Succeed())
			_, now := c.config(ctx, "files")
			g.Expect(now).NotTo(Equal(hash))
		}, 2*soon).Should(Succeed())
		Expect(c.pod(ctx, "files-a").Annotations).To(HaveKeyWithValue(v1alpha1.PassivePortsAnnotation, ports))
		Expect(c.deployment(ctx, "files").Generation).To(Equal(generation), "no pod is replaced for it")
		c.eventuallyReady(ctx, "files")
	})
})

var _ = Describe("a new server", func() {
	It("is not taken for ready before anybody looked at it", func(ctx context.Context) {
		c := newCluster(ctx)
		for name, suspend := range map[string]bool{"files": false, "resting": true} {
			Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) { s.Name, s.Spec.Suspend = name, suspend }))).To(Succeed())
			Expect(kstatusOf(ctx, c, name)).To(Equal("InProgress"))
		}
		c.settle(ctx, "resting")
		Expect(c.condition(ctx, "resting", v1alpha1.ConditionSuspended).Status).To(Equal(metav1.ConditionTrue))
		Expect(kstatusOf(ctx, c, "resting")).To(Equal("InProgress"))
	})
})
