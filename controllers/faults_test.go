package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// aHash is a bcrypt hash, so that the configuration is the same in every run.
const aHash = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"

// A fault affects one request. The next run lets it affect the next request, and so on.
var _ = Describe("faults of the API server", func() {
	// The end state is the same whichever request fails, in whichever way, and whether or not it took effect.
	DescribeTable("lead to the same end",
		func(ctx context.Context, f fault, stride int) {
			want, requests, writes := faultless(ctx)
			switch {
			case f.every > 0:
				requests = f.every
			case !f.reads:
				requests = writes
			}
			var wait sync.WaitGroup
			clusters := map[int]*cluster{}
			for k := 1; k <= requests; k += stride {
				clusters[k] = newCluster(ctx)
			}
			next := make(chan int)
			for range 4 {
				wait.Add(1)
				go func() {
					defer GinkgoRecover()
					defer wait.Done()
					for k := range next {
						c := clusters[k]
						c.traffic.failAt, c.traffic.fault = k, f
						c.story(ctx)
						Expect(c.traffic.failed).NotTo(BeEmpty())
						Expect(c.state(ctx)).To(Equal(want), "number %d failed: %s", k, c.traffic.failed)
					}
				}()
			}
			for k := range clusters {
				next <- k
			}
			close(next)
			wait.Wait()
		},
		Entry("each write: the operator is killed after it", fault{inEffect: true, kills: true}, 1),
		// Every ninth write fails; nine runs start with a different write each.
		Entry("each write in its turn: 409", fault{code: http.StatusConflict, every: 9}, 1),
		Entry("each write in its turn: 429", fault{code: http.StatusTooManyRequests, every: 9}, 1),
		Entry("each write in its turn: 500", fault{code: http.StatusInternalServerError, every: 9}, 1),
		Entry("each write in its turn: 500, though it took effect", fault{code: http.StatusInternalServerError, inEffect: true, every: 9}, 1),
		Entry("each write in its turn: no answer", fault{every: 9}, 1),
		Entry("each write in its turn: no answer, though it took effect", fault{inEffect: true, every: 9}, 1),
		Entry("each write in its turn: the operator is killed before it", fault{kills: true, every: 9}, 1),
		// A failed read ends the pass wherever it happens, so a sample of the reads is enough.
		Entry("every seventeenth read: 500", fault{code: http.StatusInternalServerError, reads: true}, 17),
		Entry("every nineteenth read: no answer", fault{reads: true}, 19),
	)
})

// faultless returns the end state of the story without faults, and its numbers of reads and writes.
func faultless(ctx context.Context) (state string, reads, writes int) {
	GinkgoHelper()
	once.Do(func() {
		c := newCluster(ctx)
		story.reads, story.writes = c.story(ctx)
		story.state = c.state(ctx)
	})
	Expect(story.writes).To(BeNumerically(">", 20))
	return story.state, story.reads, story.writes
}

var (
	once  sync.Once
	story struct {
		state         string
		reads, writes int
	}
)

var _ = Describe("an API server that goes on failing", func() {
	It("is told of from the second time on, and forgotten once it recovers", func(ctx context.Context) {
		c := newCluster(ctx)
		c.serve(ctx, c.files(), "files-a")
		c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Service.Port = 2100 })
		c.traffic.failPath, c.traffic.fault.code = "/services/files", http.StatusInternalServerError

		_, err := c.pass(ctx, "files")
		Expect(err).To(MatchError(ContainSubstring("injected")))
		Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue), "a hiccup does not show")
		_, err = c.pass(ctx, "files")
		Expect(err).To(HaveOccurred())
		ready := c.condition(ctx, "files", v1alpha1.ConditionReady)
		Expect(ready.Reason).To(Equal("ApplyFailed"))
		Expect(ready.Message).To(ContainSubstring("Service " + c.namespace + "/files"))
		server := c.server(ctx, "files")
		Expect(server.Status.ObservedGeneration).To(BeNumerically("<", server.Generation))
		Expect(kstatusOf(ctx, c, "files")).To(Equal("InProgress"))

		c.traffic.failPath = ""
		c.settle(ctx, "files")
		Expect(kstatusOf(ctx, c, "files")).To(Equal("Current"))
	})
})

// story brings a server from nothing to readiness, then through a changed range to a new pod, and returns the numbers
// of reads and writes that the reconciler made. It does not wait for anything: what a failed request delayed is done
// at the end.
func (c *cluster) story(ctx context.Context) (reads, writes int) {
	GinkgoHelper()
	c.password(ctx, "alice", aHash)
	Expect(admin.Create(ctx, c.files())).To(Succeed())
	passes := func() {
		for range 2 {
			_, _ = c.pass(ctx, "files")
			if c.traffic.revive() {
				c.reconcile = c.reconciler(c.traffic) // another operator process, with empty memory
			}
		}
	}
	c.until(ctx, passes, &corev1.Service{}, &appsv1.Deployment{})
	c.loadBalancer(ctx, "files", corev1.LoadBalancerIngress{IP: "203.0.113.10"})
	c.makePod(ctx, "files", "files-a")
	passes()
	c.startPod(ctx, "files-a")
	passes()
	c.startPod(ctx, "files-a")
	c.update(ctx, "files", func(s *v1alpha1.FtpServer) { s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30060, End: 30069} })
	passes()
	c.makePod(ctx, "files", "files-b")
	passes()
	c.terminate(ctx, "files-a")
	c.startPod(ctx, "files-b")
	passes()
	c.bury(ctx, "files-a")
	passes()
	reads, writes = c.traffic.counts()
	c.traffic.disarm()
	c.run(ctx, "files", "files-b")
	return reads, writes
}

// until repeats passes until the objects exist.
func (c *cluster) until(ctx context.Context, passes func(), objects ...client.Object) {
	GinkgoHelper()
	Eventually(func() error {
		passes()
		for _, object := range objects {
			if err := admin.Get(ctx, c.key("files"), object); err != nil {
				return err
			}
		}
		return nil
	}).Should(Succeed())
}

// state returns the relevant state of a cluster's objects as text, without values that differ between runs by chance.
func (c *cluster) state(ctx context.Context) string {
	GinkgoHelper()
	var text strings.Builder
	for _, list := range []client.ObjectList{
		&v1alpha1.FtpServerList{}, &appsv1.DeploymentList{}, &corev1.ServiceList{}, &corev1.SecretList{},
		&networkingv1.NetworkPolicyList{}, &discoveryv1.EndpointSliceList{}, &corev1.PodList{},
	} {
		Expect(admin.List(ctx, list, client.InNamespace(c.namespace))).To(Succeed())
		raw, err := json.Marshal(list)
		Expect(err).NotTo(HaveOccurred())
		var object map[string]any
		Expect(json.Unmarshal(raw, &object)).To(Succeed())
		forgetChance(object)
		pretty, err := json.MarshalIndent(object["items"], "", " ")
		Expect(err).NotTo(HaveOccurred())
		fmt.Fprintf(&text, "%T %s\n", list, pretty)
	}
	return strings.ReplaceAll(text.String(), c.namespace, "NAMESPACE")
}

func forgetChance(value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range []string{
			"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "observedGeneration",
			"clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "lastTransitionTime", "startedAt",
			"deployment.kubernetes.io/revision", v1alpha1.PasswordSourcesAnnotation,
		} {
			delete(v, key)
		}
		for _, inner := range v {
			forgetChance(inner)
		}
	case []any:
		for _, inner := range v {
			forgetChance(inner)
		}
	}
}
