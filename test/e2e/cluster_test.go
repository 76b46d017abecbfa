package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// oneGi is the size of a claim.
var oneGi = resource.MustParse("1Gi")

const (
	user     = "alice"
	password = "correct horse"
	// specTimeout bounds one test, so that no test hangs.
	specTimeout = 4 * time.Minute
	// pollSlowly is the polling interval while a rollout is awaited.
	pollSlowly = time.Second
	// soon is the time that a change may take to reach a running server.
	soon = 5 * time.Second
)

// namespaces are the namespaces that the tests created.
var namespaces []string

// newNamespace creates a namespace that accepts only pods of the "restricted" standard. Its servers are deleted when
// the test ends; removeNamespaces deletes the namespace when all tests have ended.
func newNamespace(ctx context.Context, prefix string) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "ftp-e2e-" + prefix + "-",
		Labels:       map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	namespaces = append(namespaces, namespace.Name)
	DeferCleanup(func(ctx SpecContext) {
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.FtpServer{}, client.InNamespace(namespace.Name))).To(Succeed())
	}, NodeTimeout(time.Minute))
	// Pods need the default service account.
	Eventually(ctx, func(ctx context.Context) error {
		return k8s.Get(ctx, client.ObjectKey{Namespace: namespace.Name, Name: "default"}, &corev1.ServiceAccount{})
	}).Should(Succeed())
	return namespace.Name
}

// removeNamespaces deletes all namespaces. First it waits until the daemons' pods, which have no sessions any more,
// have ended by themselves: otherwise the namespace controller would wait for half of a pod's grace period before it
// tries again.
func removeNamespaces(ctx context.Context) {
	GinkgoHelper()
	for _, namespace := range namespaces {
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			daemons := &corev1.PodList{}
			g.Expect(k8s.List(ctx, daemons, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/name": "ftpd"})).To(Succeed())
			g.Expect(daemons.Items).To(BeEmpty())
		}).Should(Succeed(), "the pods of deleted servers in %s end", namespace)
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))).To(Succeed())
	}
	for _, namespace := range namespaces {
		deleteNamespace(ctx, namespace)
	}
}

func deleteNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	Expect(client.IgnoreNotFound(k8s.Delete(ctx, namespace))).To(Succeed())
	Eventually(ctx, func(ctx context.Context) bool {
		return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(namespace), namespace))
	}).WithTimeout(2*time.Minute).Should(BeTrue(), "namespace %s is deleted", name)
}

// crd reads the CRD of FtpServers as an unstructured object.
func crd(ctx context.Context) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	return u, k8s.Get(ctx, client.ObjectKey{Name: "ftpservers.ftp-operator.io"}, u)
}

func deleteCRD(ctx context.Context) {
	GinkgoHelper()
	u, err := crd(ctx)
	if err == nil {
		err = k8s.Delete(ctx, u)
	}
	Expect(client.IgnoreNotFound(err)).To(Succeed())
}

func waitPodReady(ctx context.Context, pod *corev1.Pod) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		g.Expect(podIsReady(pod)).To(BeTrue(), "pod %s: %+v", pod.Name, pod.Status.ContainerStatuses)
	}).Should(Succeed())
}

func podIsReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// setPassword creates or changes a user's Secret.
func setPassword(ctx context.Context, namespace, user, password string) {
	GinkgoHelper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: user}}
	err := k8s.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	secret.Data = map[string][]byte{"password": []byte(password)}
	if apierrors.IsNotFound(err) {
		Expect(k8s.Create(ctx, secret)).To(Succeed())
		return
	}
	Expect(err).NotTo(HaveOccurred())
	Expect(k8s.Update(ctx, secret)).To(Succeed())
}

func ftpUser(name string) v1alpha1.User {
	return v1alpha1.User{Name: name, PasswordSecretRef: v1alpha1.SecretKeyReference{Name: name, Key: "password"}}
}

// newServer creates an FtpServer "files" with the user alice, modified by change, in its own namespace.
func newServer(ctx context.Context, change func(*v1alpha1.FtpServer)) *v1alpha1.FtpServer {
	GinkgoHelper()
	namespace := newNamespace(ctx, "server")
	setPassword(ctx, namespace, user, password)
	server := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "files"}}
	server.Spec.Users = []v1alpha1.User{ftpUser(user)}
	server.Spec.Storage.EmptyDir = &corev1.EmptyDirVolumeSource{}
	server.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30009}
	server.Spec.Service.Type = corev1.ServiceTypeClusterIP
	// Namespaces are deleted while sessions are still open.
	grace := int64(10)
	server.Spec.Template.TerminationGracePeriodSeconds = &grace
	if change != nil {
		change(server)
	}
	Expect(k8s.Create(ctx, server)).To(Succeed())
	return server
}

// update changes the server's spec. It retries if another writer was faster.
func update(ctx context.Context, server *v1alpha1.FtpServer, change func(*v1alpha1.FtpServer)) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) error {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(server), server); err != nil {
			return err
		}
		change(server)
		return k8s.Update(ctx, server)
	}).Should(Succeed())
}

// condition returns a condition for the newest spec; nil while it is not known.
func condition(server *v1alpha1.FtpServer, conditionType string) *metav1.Condition {
	c := meta.FindStatusCondition(server.Status.Conditions, conditionType)
	if c == nil || c.ObservedGeneration != server.Generation {
		return nil
	}
	return c
}

// eventually waits until a condition for the newest spec has the status, and returns it.
func eventually(ctx context.Context, server *v1alpha1.FtpServer, conditionType string, status metav1.ConditionStatus) metav1.Condition {
	GinkgoHelper()
	var found metav1.Condition
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		c := condition(server, conditionType)
		g.Expect(c).NotTo(BeNil(), "condition %s of generation %d in %+v", conditionType, server.Generation, server.Status.Conditions)
		g.Expect(c.Status).To(Equal(status), "%s: %s: %s", conditionType, c.Reason, c.Message)
		found = *c
	}).WithTimeout(2 * time.Minute).Should(Succeed())
	return found
}

func waitReady(ctx context.Context, server *v1alpha1.FtpServer) {
	GinkgoHelper()
	eventually(ctx, server, v1alpha1.ConditionReady, metav1.ConditionTrue)
}

// controlAddress returns the host:port of status.endpoint.
func controlAddress(server *v1alpha1.FtpServer) string {
	GinkgoHelper()
	address, ok := strings.CutPrefix(server.Status.Endpoint, "ftp://")
	Expect(ok).To(BeTrue(), "status.endpoint = %q", server.Status.Endpoint)
	return address
}

// pods returns the server's pods.
func pods(ctx context.Context, server *v1alpha1.FtpServer) []corev1.Pod {
	GinkgoHelper()
	list := &corev1.PodList{}
	Expect(k8s.List(ctx, list, client.InNamespace(server.Namespace),
		client.MatchingLabels{v1alpha1.ServerLabel: server.Name, "app.kubernetes.io/name": "ftpd"})).To(Succeed())
	return list.Items
}

// onePod returns the server's pod and expects it to be the only one.
func onePod(ctx context.Context, server *v1alpha1.FtpServer) corev1.Pod {
	GinkgoHelper()
	all := pods(ctx, server)
	Expect(all).To(HaveLen(1))
	return all[0]
}

// expectSamePod proves that the pod was neither replaced nor restarted.
func expectSamePod(ctx context.Context, server *v1alpha1.FtpServer, before corev1.Pod) {
	GinkgoHelper()
	now := onePod(ctx, server)
	Expect(now.UID).To(Equal(before.UID), "the pod was replaced")
	Expect(now.Status.ContainerStatuses).To(HaveLen(1))
	Expect(now.Status.ContainerStatuses[0].RestartCount).To(BeZero(), "the daemon was restarted")
}

// login opens a session as alice, which is closed when the test ends.
func login(ctx context.Context, network ftpclient.Network, server *v1alpha1.FtpServer) *ftpclient.Client {
	GinkgoHelper()
	c, err := ftpclient.Login(ctx, network, controlAddress(server), user, password)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = c.Close() })
	return c
}

// tryLogin returns an error unless the login works.
func tryLogin(ctx context.Context, server *v1alpha1.FtpServer, user, password string) error {
	c, err := ftpclient.Login(ctx, inPod, controlAddress(server), user, password)
	if err != nil {
		return err
	}
	return c.Quit()
}

// expectPASV requests a passive port, proves that the 227 reply names the address and a port of the range, and
// returns the port.
func expectPASV(c *ftpclient.Client, address string, ports v1alpha1.PortRange) uint16 {
	GinkgoHelper()
	named, err := c.Passive(ftpclient.PASV)
	Expect(err).NotTo(HaveOccurred())
	host, port, err := net.SplitHostPort(named)
	Expect(err).NotTo(HaveOccurred())
	Expect(host).To(Equal(address), "the address in the 227 reply")
	n, err := strconv.ParseUint(port, 10, 16)
	Expect(err).NotTo(HaveOccurred())
	Expect(int32(n)).To(And(BeNumerically(">=", ports.Start), BeNumerically("<=", ports.End)), "the port in the 227 reply")
	return uint16(n)
}

// expectTransfer uploads and downloads a file of 1 MiB.
func expectTransfer(ctx context.Context, c *ftpclient.Client, mode ftpclient.Mode) {
	GinkgoHelper()
	sent := randomBytes(1 << 20)
	name := strings.ToLower(string(mode)) + ".bin"
	Expect(c.Store(ctx, mode, name, sent)).To(Succeed(), "upload by %s", mode)
	came, err := c.Retrieve(ctx, mode, name)
	Expect(err).NotTo(HaveOccurred(), "download by %s", mode)
	Expect(bytes.Equal(came, sent)).To(BeTrue(), "%d bytes came back that are not the %d that were sent", len(came), len(sent))
	names, err := c.List(ctx, mode)
	Expect(err).NotTo(HaveOccurred(), "listing by %s", mode)
	Expect(names).To(ContainElement(name))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// networks returns the networks from which a load balancer's address can be dialled: always a pod's, and this
// machine's if the address is in E2E_LB_CIDR.
func networks(address string) map[string]ftpclient.Network {
	all := map[string]ftpclient.Network{"a pod": inPod}
	if ip, err := netip.ParseAddr(address); err == nil && env.loadBalancers.IsValid() && env.loadBalancers.Contains(ip) {
		all["this machine"] = ftpclient.Host{}
	}
	return all
}

// pasvHost and pasvPort return the host and the port of a 227 reply.
func pasvHost(c *ftpclient.Client) (string, error) {
	named, err := c.Passive(ftpclient.PASV)
	if err != nil {
		return "", err
	}
	host, _, err := net.SplitHostPort(named)
	return host, err
}

func pasvPort(c *ftpclient.Client) (int, error) {
	named, err := c.Passive(ftpclient.PASV)
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(named)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
