package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

var _ = Describe("A backup", func() {
	It("of all objects without their owners is restored, and serves the files", func(ctx SpecContext) {
		server, content := withFile(ctx, "")
		saved := backup(ctx, server.Namespace)
		Expect(k8s.Delete(ctx, server.DeepCopy())).To(Succeed())
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(pods(ctx, server)).To(BeEmpty())
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(server), &corev1.Service{}))).To(BeTrue())
		}).Should(Succeed())
		for _, o := range saved {
			err := k8s.Create(ctx, o)
			if o.GetKind() == "PersistentVolumeClaim" && apierrors.IsAlreadyExists(err) {
				continue // it was not deleted
			}
			Expect(err).NotTo(HaveOccurred(), "%s %s", o.GetKind(), o.GetName())
		}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		waitReady(ctx, server)
		for _, o := range saved {
			if o.GetKind() != "Deployment" && o.GetKind() != "Service" && o.GetKind() != "NetworkPolicy" {
				continue
			}
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
			Expect(metav1.GetControllerOf(o)).To(HaveValue(HaveField("UID", server.UID)), "%s %s is adopted", o.GetKind(), o.GetName())
		}
		Eventually(ctx, func() error { return tryTransfer(ctx, inPod, server) }).Should(Succeed())
		expectFile(ctx, server, content)
		for range 4 { // no old slice misroutes a session
			Expect(tryTransfer(ctx, inPod, server)).To(Succeed())
		}
	}, SpecTimeout(specTimeout))
})

// backup exports a server's objects as backup tools do, the FtpServer last.
func backup(ctx context.Context, namespace string) []*unstructured.Unstructured {
	GinkgoHelper()
	var saved []*unstructured.Unstructured
	for _, kind := range []schema.GroupVersionKind{
		{Version: "v1", Kind: "PersistentVolumeClaim"}, {Version: "v1", Kind: "Secret"}, {Version: "v1", Kind: "Service"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}, {Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
		{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}, {Group: "apps", Version: "v1", Kind: "ReplicaSet"},
		{Group: "apps", Version: "v1", Kind: "Deployment"}, v1alpha1.GroupVersion.WithKind("FtpServer"),
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		for i := range list.Items {
			o := &list.Items[i]
			if _, ours := o.GetLabels()[v1alpha1.ServerLabel]; !ours && kind.Kind != "FtpServer" {
				continue // a user's Secret, which stays
			}
			for _, field := range []string{"ownerReferences", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "finalizers"} {
				unstructured.RemoveNestedField(o.Object, "metadata", field)
			}
			unstructured.RemoveNestedField(o.Object, "status")
			unstructured.RemoveNestedField(o.Object, "spec", "clusterIP")
			unstructured.RemoveNestedField(o.Object, "spec", "clusterIPs")
			saved = append(saved, o)
		}
	}
	return saved
}
