package controllers_test

import (
	"context"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// cluster is one test's part of the cluster: a namespace, with a reconciler that the test drives pass by pass. Its
// reads return the current state as the manager's cache would hold it (see cachedClient). Behaviour that depends on
// watches and on a lagging cache is tested with a whole manager: see manager_test.go.
type cluster struct {
	namespace string
	traffic   *traffic
	reconcile *controllers.Reconciler
	daemons   *fakeDaemons
	clock     *testclock.FakePassiveClock
	events    *events.FakeRecorder
	nextIP    int
	// cached reads from the cache of the whole manager, if the test runs one; managed is that manager's reconciler.
	cached  client.Reader
	managed *controllers.Reconciler
}

const image = "localhost/ftp-operator:dev"

func newCluster(ctx context.Context) *cluster {
	GinkgoHelper()
	c := &cluster{
		traffic: &traffic{},
		daemons: &fakeDaemons{},
		clock:   testclock.NewFakePassiveClock(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)),
		events:  events.NewFakeRecorder(1000),
	}
	c.daemons.cluster = c
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "ftp-"}}
	Expect(admin.Create(ctx, namespace)).To(Succeed())
	c.namespace = namespace.Name
	c.traffic.namespace = namespace.Name
	DeferCleanup(func(ctx context.Context) { c.clear(ctx) })
	c.reconcile = c.reconciler(c.traffic)
	return c
}

// reconciler returns a reconciler whose requests go through t.
func (c *cluster) reconciler(t *traffic) *controllers.Reconciler {
	GinkgoHelper()
	live := c.client(t)
	return controllers.New(c.options(likeCache(live), live))
}

// client returns a client with the operator's permissions.
func (c *cluster) client(t *traffic) client.Client {
	GinkgoHelper()
	live, err := client.New(t.through(operatorConfig), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return live
}

func (c *cluster) options(cl client.Client, live client.Reader) controllers.Options {
	return controllers.Options{
		Client: cl, Live: live, Recorder: c.events, Daemons: c.daemons, Image: image, Clock: c.clock, CRD: crd,
		HashPatience: time.Minute,
		Operator:     resources.Operator{Namespace: "ftp-operator-system", PodLabels: map[string]string{"app.kubernetes.io/name": "ftp-operator"}},
	}
}

// clear deletes the test's objects that occupy cluster-wide resources, such as node ports, and those that later tests
// might process.
func (c *cluster) clear(ctx context.Context) {
	Expect(admin.DeleteAllOf(ctx, &v1alpha1.FtpServer{}, client.InNamespace(c.namespace))).To(Succeed())
	var services corev1.ServiceList
	Expect(admin.List(ctx, &services, client.InNamespace(c.namespace))).To(Succeed())
	for i := range services.Items {
		Expect(client.IgnoreNotFound(admin.Delete(ctx, &services.Items[i]))).To(Succeed())
	}
}

// pass runs one reconcile.
func (c *cluster) pass(ctx context.Context, name string) (ctrl.Result, error) {
	return c.reconcile.Reconcile(ctx, ctrl.Request{NamespacedName: c.key(name)})
}

func (c *cluster) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: c.namespace, Name: name}
}

// settle reconciles until a pass writes nothing, and returns the requeue time of that pass. It advances the clock
// while pods warm up.
func (c *cluster) settle(ctx context.Context, name string) time.Duration {
	GinkgoHelper()
	for range 20 {
		c.traffic.reset()
		result, err := c.pass(ctx, name)
		if err == nil && len(c.traffic.written()) == 0 {
			if len(c.warmingUp(ctx)) > 0 {
				c.clock.SetTime(c.clock.Now().Add(result.RequeueAfter))
				continue
			}
			return result.RequeueAfter
		}
		if err != nil {
			GinkgoWriter.Println("pass:", err)
		}
	}
	Fail("the reconciler does not settle: " + strings.Join(c.traffic.written(), ", "))
	return 0
}

// warmingUp returns the names of the slices that route only their pods' passive ports.
func (c *cluster) warmingUp(ctx context.Context) []string {
	GinkgoHelper()
	var list discoveryv1.EndpointSliceList
	Expect(admin.List(ctx, &list, client.InNamespace(c.namespace))).To(Succeed())
	var names []string
	for i := range list.Items {
		s := &list.Items[i]
		control := slices.ContainsFunc(s.Ports, func(p discoveryv1.EndpointPort) bool { return *p.Name == resources.ControlPortName })
		if !control && len(s.Endpoints) > 0 && *s.Endpoints[0].Conditions.Ready {
			names = append(names, s.Name)
		}
	}
	return names
}

// meta returns the metadata of an object of that name in the test's namespace.
func (c *cluster) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: c.namespace, Name: name}
}

func get[T client.Object](ctx context.Context, c *cluster, name string, into T) T {
	GinkgoHelper()
	Expect(admin.Get(ctx, c.key(name), into)).To(Succeed())
	return into
}

func (c *cluster) server(ctx context.Context, name string) *v1alpha1.FtpServer {
	GinkgoHelper()
	return get(ctx, c, name, &v1alpha1.FtpServer{})
}

func (c *cluster) deployment(ctx context.Context, name string) *appsv1.Deployment {
	GinkgoHelper()
	return get(ctx, c, name, &appsv1.Deployment{})
}

func (c *cluster) service(ctx context.Context, name string) *corev1.Service {
	GinkgoHelper()
	return get(ctx, c, name, &corev1.Service{})
}

func (c *cluster) slice(ctx context.Context, name string) *discoveryv1.EndpointSlice {
	GinkgoHelper()
	return get(ctx, c, name, &discoveryv1.EndpointSlice{})
}

func (c *cluster) pod(ctx context.Context, name string) *corev1.Pod {
	GinkgoHelper()
	return get(ctx, c, name, &corev1.Pod{})
}

// config returns the daemon's configuration in the config Secret, and its hash.
func (c *cluster) config(ctx context.Context, name string) (*config.Config, string) {
	GinkgoHelper()
	secret := get(ctx, c, name+"-config", &corev1.Secret{})
	var parsed config.Config
	Expect(yaml.UnmarshalStrict(secret.Data["ftpd.yaml"], &parsed)).To(Succeed())
	return &parsed, config.Hash(secret.Data["ftpd.yaml"])
}

func (c *cluster) condition(ctx context.Context, name, kind string) *metav1.Condition {
	GinkgoHelper()
	found := meta.FindStatusCondition(c.server(ctx, name).Status.Conditions, kind)
	if found == nil {
		return &metav1.Condition{Type: kind, Status: "absent"}
	}
	return found
}

func splitDocuments(text string) []string {
	var documents []string
	for _, d := range strings.Split(text, "\n---\n") {
		if d = strings.TrimPrefix(d, "---\n"); strings.TrimSpace(d) != "" {
			documents = append(documents, d)
		}
	}
	return documents
}
