package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// cluster is one test's part of the cluster: a namespace, with a reconciler that the test drives
// pass by pass and that reads everything live. What depends on watches and the cache is tested with a
// whole manager instead: see manager_test.go.
type cluster struct {
	namespace string
	traffic   *traffic
	reconcile *controllers.Reconciler
	daemons   *fakeDaemons
	clock     *testclock.FakePassiveClock
	events    *events.FakeRecorder
	nextIP    int
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

// reconciler makes a reconciler that reads live, through that traffic.
func (c *cluster) reconciler(t *traffic) *controllers.Reconciler {
	GinkgoHelper()
	live := c.client(t)
	return controllers.New(c.options(live, live))
}

// client is one with the operator's permissions.
func (c *cluster) client(t *traffic) client.Client {
	GinkgoHelper()
	live, err := client.New(t.through(operatorConfig), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return live
}

func (c *cluster) options(cl client.Client, live client.Reader) controllers.Options {
	return controllers.Options{
		Client: cl, Live: live, Recorder: c.events, Daemons: c.daemons, Image: image, Clock: c.clock,
		Operator: resources.Operator{Namespace: "ftp-operator-system", PodLabels: map[string]string{"app.kubernetes.io/name": "ftp-operator"}},
	}
}

// clear frees what a cluster has only one of, node ports, and what later tests might work on.
func (c *cluster) clear(ctx context.Context) {
	Expect(admin.DeleteAllOf(ctx, &v1alpha1.FtpServer{}, client.InNamespace(c.namespace))).To(Succeed())
	var services corev1.ServiceList
	Expect(admin.List(ctx, &services, client.InNamespace(c.namespace))).To(Succeed())
	for i := range services.Items {
		Expect(client.IgnoreNotFound(admin.Delete(ctx, &services.Items[i]))).To(Succeed())
	}
}

// pass reconciles once.
func (c *cluster) pass(ctx context.Context, name string) (ctrl.Result, error) {
	return c.reconcile.Reconcile(ctx, ctrl.Request{NamespacedName: c.key(name)})
}

func (c *cluster) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: c.namespace, Name: name}
}

// settle reconciles until a pass writes nothing, and returns how long the reconciler would wait then.
func (c *cluster) settle(ctx context.Context, name string) time.Duration {
	GinkgoHelper()
	for range 20 {
		c.traffic.reset()
		result, err := c.pass(ctx, name)
		if err == nil && len(c.traffic.written()) == 0 {
			return result.RequeueAfter
		}
		if err != nil {
			GinkgoWriter.Println("pass:", err)
		}
	}
	Fail("the reconciler does not settle: " + strings.Join(c.traffic.written(), ", "))
	return 0
}

// meta names an object in the test's namespace.
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

// config is the daemon's configuration as the Secret holds it, and its hash.
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

// files is the server of most tests: one user, an emptyDir, ten passive ports.
func (c *cluster) files(change ...func(*v1alpha1.FtpServer)) *v1alpha1.FtpServer {
	s := &v1alpha1.FtpServer{
		ObjectMeta: c.meta("files"),
		Spec: v1alpha1.FtpServerSpec{
			Replicas: ptr.To[int32](1),
			Passive:  v1alpha1.PassiveSpec{PortRange: v1alpha1.PortRange{Start: 30100, End: 30109}},
			Users:    []v1alpha1.User{user("alice")},
			Storage:  v1alpha1.StorageSpec{EmptyDir: &corev1.EmptyDirVolumeSource{}},
		},
	}
	for _, f := range change {
		f(s)
	}
	return s
}

func user(name string) v1alpha1.User {
	return v1alpha1.User{Name: name, PasswordSecretRef: v1alpha1.SecretKeyReference{Name: name + "-ftp", Key: "password"}}
}

func replicas(n int32) func(*v1alpha1.FtpServer) {
	return func(s *v1alpha1.FtpServer) {
		s.Spec.Replicas = &n
		s.Spec.Storage = v1alpha1.StorageSpec{PersistentVolumeClaim: &v1alpha1.ClaimReference{ClaimName: "shared"}}
	}
}

func serviceType(t corev1.ServiceType) func(*v1alpha1.FtpServer) {
	return func(s *v1alpha1.FtpServer) { s.Spec.Service.Type = t }
}

// password makes or changes a user's Secret.
func (c *cluster) password(ctx context.Context, user, password string) {
	GinkgoHelper()
	c.put(ctx, &corev1.Secret{ObjectMeta: c.meta(user + "-ftp"), Data: map[string][]byte{"password": []byte(password)}})
}

// put makes an object or overwrites it.
func (c *cluster) put(ctx context.Context, object client.Object) {
	GinkgoHelper()
	err := admin.Create(ctx, object)
	if apierrors.IsAlreadyExists(err) {
		object.SetResourceVersion("")
		err = admin.Update(ctx, object)
	}
	Expect(err).NotTo(HaveOccurred())
}

// sharedClaim makes the bound claim of the servers with several replicas.
func (c *cluster) sharedClaim(ctx context.Context) {
	GinkgoHelper()
	c.claim(ctx, "shared", corev1.ClaimBound, nil)
}

func (c *cluster) claim(ctx context.Context, name string, phase corev1.PersistentVolumeClaimPhase, labels map[string]string) {
	GinkgoHelper()
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: c.meta(name), Spec: claimSpec(corev1.ReadWriteMany)}
	claim.Labels = labels
	Expect(admin.Create(ctx, claim)).To(Succeed())
	claim.Status.Phase = phase
	Expect(admin.Status().Update(ctx, claim)).To(Succeed())
}

// update changes the server's spec.
func (c *cluster) update(ctx context.Context, name string, change func(*v1alpha1.FtpServer)) {
	GinkgoHelper()
	Eventually(func() error {
		s := c.server(ctx, name)
		change(s)
		return admin.Update(ctx, s)
	}).Should(Succeed())
}

// edit changes an object as a hand would.
func edit[T client.Object](ctx context.Context, object T, change func(T)) {
	GinkgoHelper()
	Eventually(func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		change(object)
		return admin.Update(ctx, object, client.FieldOwner("a-hand"))
	}).Should(Succeed())
}

// loadBalancer gives the Service its addresses, as a load balancer's controller would.
func (c *cluster) loadBalancer(ctx context.Context, name string, ingress ...corev1.LoadBalancerIngress) {
	GinkgoHelper()
	s := c.service(ctx, name)
	s.Status.LoadBalancer.Ingress = ingress
	Expect(admin.Status().Update(ctx, s)).To(Succeed())
}

// replicaSet makes the ReplicaSet of the Deployment's present template, or finds it.
func (c *cluster) replicaSet(ctx context.Context, d *appsv1.Deployment) *appsv1.ReplicaSet {
	GinkgoHelper()
	set := &appsv1.ReplicaSet{
		ObjectMeta: c.meta(fmt.Sprintf("%s-%d", d.Name, d.Generation)),
		Spec:       appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template},
	}
	set.Labels = d.Spec.Template.Labels
	set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))}
	err := admin.Create(ctx, set)
	if apierrors.IsAlreadyExists(err) {
		return get(ctx, c, set.Name, set)
	}
	Expect(err).NotTo(HaveOccurred())
	return set
}

// makePod makes a pod of the Deployment, as its ReplicaSet would; it is bound to a node and has no
// containers yet.
func (c *cluster) makePod(ctx context.Context, server, name string) *corev1.Pod {
	GinkgoHelper()
	d := c.deployment(ctx, server)
	set := c.replicaSet(ctx, d)
	pod := &corev1.Pod{ObjectMeta: *d.Spec.Template.ObjectMeta.DeepCopy(), Spec: *d.Spec.Template.Spec.DeepCopy()}
	pod.Namespace, pod.Name = c.namespace, name
	pod.Spec.NodeName = "node-a"
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
	Expect(admin.Create(ctx, pod)).To(Succeed())
	c.nextIP++
	c.setPod(ctx, name, func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodPending
		p.Status.PodIP = fmt.Sprintf("10.1.0.%d", c.nextIP)
		p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
	})
	return pod
}

func (c *cluster) setPod(ctx context.Context, name string, change func(*corev1.Pod)) {
	GinkgoHelper()
	Eventually(func() error {
		p := &corev1.Pod{}
		if err := admin.Get(ctx, c.key(name), p); err != nil {
			return err
		}
		change(p)
		return admin.Status().Update(ctx, p)
	}).Should(Succeed())
}

// startPod runs the pod's container, and makes it ready as a kubelet would see it: it needs passive
// ports, and the pod is ready once its readiness gate is open.
func (c *cluster) startPod(ctx context.Context, name string) {
	GinkgoHelper()
	c.setPod(ctx, name, func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodRunning
		ready := corev1.ConditionFalse
		if p.Annotations[v1alpha1.PassivePortsAnnotation] != "" {
			ready = corev1.ConditionTrue
		}
		setPodCondition(p, corev1.ContainersReady, ready)
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "ftpd", Ready: ready == corev1.ConditionTrue, Image: image, ImageID: image,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		}}
		if podConditionTrue(p, v1alpha1.RoutedConditionType) && ready == corev1.ConditionTrue {
			setPodCondition(p, corev1.PodReady, corev1.ConditionTrue)
		}
	})
}

func setPodCondition(p *corev1.Pod, kind corev1.PodConditionType, status corev1.ConditionStatus) {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == kind {
			p.Status.Conditions[i].Status = status
			return
		}
	}
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: status})
}

func podConditionTrue(p *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// rolledOut sets the Deployment's status to what it would be with all the given pods ready.
func (c *cluster) rolledOut(ctx context.Context, name string, pods int32) {
	GinkgoHelper()
	Eventually(func() error {
		d := &appsv1.Deployment{}
		if err := admin.Get(ctx, c.key(name), d); err != nil {
			return err
		}
		d.Status.ObservedGeneration = d.Generation
		d.Status.Replicas, d.Status.UpdatedReplicas = pods, pods
		d.Status.ReadyReplicas, d.Status.AvailableReplicas = pods, pods
		return admin.Status().Update(ctx, d)
	}).Should(Succeed())
}

// terminate deletes a pod that its kubelet still lets drain.
func (c *cluster) terminate(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(admin.Delete(ctx, c.pod(ctx, name))).To(Succeed())
	Expect(c.pod(ctx, name).DeletionTimestamp).NotTo(BeNil())
}

// bury removes a pod for good, as its kubelet does at the end.
func (c *cluster) bury(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(admin.Delete(ctx, c.pod(ctx, name), client.GracePeriodSeconds(0))).To(Succeed())
	Expect(apierrors.IsNotFound(admin.Get(ctx, c.key(name), &corev1.Pod{}))).To(BeTrue())
}

// serve brings a new server to readiness: its Secret, its load balancer's address, its pods.
func (c *cluster) serve(ctx context.Context, s *v1alpha1.FtpServer, pods ...string) {
	GinkgoHelper()
	for _, u := range s.Spec.Users {
		c.password(ctx, u.Name, "correct horse of "+u.Name)
	}
	if s.Spec.Storage.PersistentVolumeClaim != nil {
		c.sharedClaim(ctx)
	}
	Expect(admin.Create(ctx, s)).To(Succeed())
	c.settle(ctx, s.Name)
	if c.service(ctx, s.Name).Spec.Type == corev1.ServiceTypeLoadBalancer {
		c.loadBalancer(ctx, s.Name, corev1.LoadBalancerIngress{IP: "203.0.113.10"})
	}
	for _, name := range pods {
		c.makePod(ctx, s.Name, name)
	}
	c.run(ctx, s.Name, pods...)
}

// run lets pods become ready, and the server with them.
func (c *cluster) run(ctx context.Context, server string, pods ...string) {
	GinkgoHelper()
	c.settle(ctx, server)
	for range 2 { // once for the containers, once for the gate
		for _, name := range pods {
			c.startPod(ctx, name)
		}
		c.settle(ctx, server)
	}
	c.rolledOut(ctx, server, int32(len(pods)))
	c.settle(ctx, server)
}

// fakeDaemons answer as daemons would that take every configuration over at once.
type fakeDaemons struct {
	cluster *cluster

	mu sync.Mutex
	// answer overrides what is answered.
	answer func(ip string, good *config.Status) (*config.Status, error)
}

func (d *fakeDaemons) Status(ctx context.Context, ip string) (*config.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	good := d.good(ctx, ip)
	if d.answer != nil {
		return d.answer(ip, good)
	}
	if good == nil {
		return nil, errors.New("connection refused")
	}
	return good, nil
}

func (d *fakeDaemons) set(answer func(ip string, good *config.Status) (*config.Status, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

func (d *fakeDaemons) good(ctx context.Context, ip string) *config.Status {
	var pods corev1.PodList
	if err := admin.List(ctx, &pods, client.InNamespace(d.cluster.namespace)); err != nil {
		return nil
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		if p.Status.PodIP != ip {
			continue
		}
		secret := &corev1.Secret{}
		if err := admin.Get(ctx, d.cluster.key(p.Labels[v1alpha1.ServerLabel]+"-config"), secret); err != nil {
			return nil
		}
		var c config.Config
		if err := yaml.Unmarshal(secret.Data["ftpd.yaml"], &c); err != nil {
			return nil
		}
		ports, _ := config.ParsePortSet(p.Annotations[v1alpha1.PassivePortsAnnotation])
		status := &config.Status{ConfigHash: config.Hash(secret.Data["ftpd.yaml"]), PassivePorts: ports}
		status.AdvertisedIP = c.Passive.AdvertisedAddress
		if strings.ContainsAny(status.AdvertisedIP, "ghijklmnopqrstuvwxyz") {
			status.AdvertisedIP = "198.51.100.7" // a host name resolves to something
		}
		status.Ready = status.AdvertisedIP != "" && len(ports) > 0
		return status
	}
	return nil
}

func claimSpec(mode corev1.PersistentVolumeAccessMode) corev1.PersistentVolumeClaimSpec {
	var spec corev1.PersistentVolumeClaimSpec
	Expect(yaml.Unmarshal(fmt.Appendf(nil, `{accessModes: [%s], resources: {requests: {storage: 1Gi}}}`, mode), &spec)).To(Succeed())
	return spec
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
