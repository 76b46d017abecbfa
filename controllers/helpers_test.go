package controllers_test

import (
	"context"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// claimSpecForTables is for the entries of tables, which are built before assertions are possible.
var claimSpecForTables = corev1.PersistentVolumeClaimSpec{
	Resources: corev1.VolumeResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
	},
}

// kstatusOf returns how kubectl, helm and GitOps tools judge the server.
func kstatusOf(ctx context.Context, c *cluster, name string) string {
	GinkgoHelper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("FtpServer"))
	Expect(admin.Get(ctx, c.key(name), u)).To(Succeed())
	result, err := status.Compute(u)
	Expect(err).NotTo(HaveOccurred())
	return result.Status.String()
}

// removeFinalizers makes an object that is being deleted go at once.
func removeFinalizers(ctx context.Context, object client.Object) error {
	if err := admin.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return err
	}
	object.SetFinalizers(nil)
	return admin.Update(ctx, object)
}

// expectDistinctPorts checks rule one: a passive port belongs to at most one existing pod.
func expectDistinctPorts(ctx context.Context, c *cluster) {
	GinkgoHelper()
	var pods corev1.PodList
	Expect(admin.List(ctx, &pods, client.InNamespace(c.namespace))).To(Succeed())
	holder := map[uint16]string{}
	for _, p := range pods.Items {
		ports, err := config.ParsePortSet(p.Annotations[v1alpha1.PassivePortsAnnotation])
		Expect(err).NotTo(HaveOccurred())
		for _, port := range ports {
			Expect(holder).NotTo(HaveKey(port), "port %d belongs to %s and %s", port, holder[port], p.Name)
			holder[port] = p.Name
		}
	}
}

// expectEvent checks that an event containing part has been sent, and drops all events sent so far.
func expectEvent(c *cluster, part string) {
	GinkgoHelper()
	Expect(c.sent()).To(ContainElement(ContainSubstring(part)))
}

// expectEventAfterGrace checks that an event containing part has not been sent yet, and is sent a minute later.
func expectEventAfterGrace(ctx context.Context, c *cluster, part string) {
	GinkgoHelper()
	Expect(c.sent()).NotTo(ContainElement(ContainSubstring(part)), "others may bring what is missing")
	c.clock.SetTime(c.clock.Now().Add(time.Minute))
	c.settle(ctx, "files")
	expectEvent(c, part)
}

// sent returns the events since the last call.
func (c *cluster) sent() []string {
	var all []string
	for {
		select {
		case e := <-c.events.Events:
			all = append(all, e)
		default:
			return all
		}
	}
}

func requestFor(c *cluster, name string) ctrl.Request {
	return ctrl.Request{NamespacedName: c.key(name)}
}

// laggingClient answers for pods, the server and its Service with the state at which it was frozen, as a lagging
// cache may.
type laggingClient struct {
	client.Client
	pods    *corev1.PodList
	server  *v1alpha1.FtpServer
	service *corev1.Service
}

func (l *laggingClient) freeze(ctx context.Context, c *cluster, name string) {
	GinkgoHelper()
	l.pods = &corev1.PodList{}
	Expect(l.Client.List(ctx, l.pods, client.InNamespace(c.namespace))).To(Succeed())
	l.server, l.service = c.server(ctx, name), c.service(ctx, name)
}

func (l *laggingClient) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if pods, ok := list.(*corev1.PodList); ok && l.pods != nil {
		l.pods.DeepCopyInto(pods)
		return nil
	}
	return l.Client.List(ctx, list, options...)
}

func (l *laggingClient) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	switch o := object.(type) {
	case *v1alpha1.FtpServer:
		l.server.DeepCopyInto(o)
		return nil
	case *corev1.Service:
		l.service.DeepCopyInto(o)
		return nil
	}
	return l.Client.Get(ctx, key, object, options...)
}
