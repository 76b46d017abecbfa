package controllers_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
)

func emptyCRD() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	return u
}

// olderCRD installs a CRD without the fields at those paths of the schema, and restores ours after the test.
func olderCRD(ctx context.Context, removed ...string) {
	GinkgoHelper()
	DeferCleanup(restoreCRD)
	u := emptyCRD()
	Expect(admin.Get(ctx, client.ObjectKey{Name: "ftpservers.ftp-operator.io"}, u)).To(Succeed())
	versions, _, err := unstructured.NestedSlice(u.Object, "spec", "versions")
	Expect(err).NotTo(HaveOccurred())
	version, _ := versions[0].(map[string]any)
	for _, path := range removed {
		keys := append([]string{"schema", "openAPIV3Schema"}, strings.Fields(path)...)
		_, found, err := unstructured.NestedFieldNoCopy(version, keys...)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeTrue(), path)
		unstructured.RemoveNestedField(version, keys...)
	}
	Expect(unstructured.SetNestedSlice(u.Object, versions, "spec", "versions")).To(Succeed())
	Expect(admin.Update(ctx, u)).To(Succeed())
}

// ourCRD installs our CRD, like the command that the condition names.
func ourCRD(ctx context.Context) {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join("..", "config", "crd", "bases", "ftp-operator.io_ftpservers.yaml"))
	Expect(err).NotTo(HaveOccurred())
	u := emptyCRD()
	Expect(yaml.Unmarshal(text, &u.Object)).To(Succeed())
	Expect(admin.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("kubectl"), client.ForceOwnership)).To(Succeed())
}

// restoreCRD installs our CRD, and waits until the API server has applied it: the next spec needs all of its fields and
// values.
func restoreCRD(ctx context.Context) {
	GinkgoHelper()
	ourCRD(ctx)
	look, err := crdschema.NewCRD(operatorConfig)
	Expect(err).NotTo(HaveOccurred())
	c := &cluster{namespace: metav1.NamespaceDefault}
	defer func() { Expect(client.IgnoreNotFound(admin.Delete(ctx, c.files()))).To(Succeed()) }()
	Eventually(func(g Gomega) {
		look.Check(ctx)
		g.Expect(look.Ready(nil)).To(Succeed())
		s := c.files()
		g.Expect(client.IgnoreAlreadyExists(admin.Create(ctx, s))).To(Succeed())
		s = c.server(ctx, s.Name)
		s.Status.UsersSummary = "0/1"
		s.Status.Pods = []v1alpha1.PodStatus{{Name: "p", State: v1alpha1.PodReady, Node: "n"}}
		g.Expect(admin.Status().Update(ctx, s)).To(Succeed())
		g.Expect(s.Status.UsersSummary).To(Equal("0/1"))
		g.Expect(s.Status.Pods[0].Node).To(Equal("n"))
	}, soon).Should(Succeed())
}

var _ = Describe("a CustomResourceDefinition that is older than the operator", Serial, func() {
	var (
		c    *cluster
		look *crdschema.CRD
	)
	BeforeEach(func(ctx context.Context) {
		c = newCluster(ctx)
		var err error
		look, err = crdschema.NewCRD(operatorConfig)
		Expect(err).NotTo(HaveOccurred())
		c.reconcile = c.withCRD(look)
	})
	current := func(ctx context.Context) *metav1.Condition {
		GinkgoHelper()
		return c.condition(ctx, "files", v1alpha1.ConditionCRDCurrent)
	}
	seen := func(ctx context.Context, parts ...string) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			look.Check(ctx)
			err := look.Ready(nil)
			if len(parts) == 0 {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			for _, part := range parts {
				g.Expect(err).To(MatchError(ContainSubstring(part)))
			}
		}, soon).Should(Succeed())
	}

	DescribeTable("is told of, and servers start, serve and get new pods all the same",
		func(ctx context.Context, lacks []string, removed ...string) {
			olderCRD(ctx, removed...)
			seen(ctx, append(lacks, "kubectl apply --server-side --force-conflicts -f config/crd/bases")...)

			c.serve(ctx, c.files(func(s *v1alpha1.FtpServer) {
				replicas(2)(s)
				s.Spec.Service.Type = corev1.ServiceTypeClusterIP
			}), "files-a", "files-b")
			for _, pod := range []string{"files-a", "files-b"} {
				Expect(c.pod(ctx, pod).Annotations).To(HaveKey(v1alpha1.PassivePortsAnnotation))
				Expect(podConditionTrue(c.pod(ctx, pod), v1alpha1.RoutedConditionType)).To(BeTrue())
			}
			expectDistinctPorts(ctx, c)
			held := c.pod(ctx, "files-a").Annotations[v1alpha1.PassivePortsAnnotation]

			By("another operator, which remembers nothing, and a new pod")
			c.reconcile = c.withCRD(look)
			c.terminate(ctx, "files-b")
			c.makePod(ctx, "files", "files-c")
			c.run(ctx, "files", "files-a", "files-c")
			expectDistinctPorts(ctx, c)
			Expect(c.pod(ctx, "files-a").Annotations).To(HaveKeyWithValue(v1alpha1.PassivePortsAnnotation, held))
			Expect(c.slice(ctx, "files-b").Endpoints[0].Conditions.Terminating).To(HaveValue(BeTrue()))

			told := current(ctx)
			Expect(told.Status).To(Equal(metav1.ConditionFalse))
			Expect(told.Reason).To(Equal("CRDOutdated"))
			for _, part := range lacks {
				Expect(told.Message).To(ContainSubstring(part))
			}
			Expect(c.condition(ctx, "files", v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionTrue))
			expectEvent(c, "Warning CRDOutdated")

			By("the command that the message names, and no restart")
			ourCRD(ctx)
			seen(ctx)
			c.settle(ctx, "files")
			Expect(current(ctx).Status).To(Equal(metav1.ConditionTrue))
			s := c.server(ctx, "files").Status
			Expect(s.UsersSummary).To(Equal("1/1"))
			Expect(s.Pods).To(ContainElement(And(HaveField("Name", "files-a"), HaveField("Node", "node-a"), HaveField("PassivePorts", held))))
		},
		Entry("by a field of the status", []string{"status.usersSummary"}, "properties status properties usersSummary"),
		Entry("by a field of status.pods", []string{"status.pods[].node", "status.usersSummary"},
			"properties status properties pods items properties node", "properties status properties usersSummary"),
		Entry("by the record of the passive ports", []string{"status.pods[].passivePorts"}, "properties status properties pods items properties passivePorts"),
		Entry("by status.pods as a whole", []string{"status.pods"}, "properties status properties pods"),
		Entry("by a field of the spec", []string{"spec.hosts"}, "properties spec properties hosts"),
	)

	It("is found by what the API server refuses, where its schema can't be read", func(ctx context.Context) {
		olderCRD(ctx, "properties status properties usersSummary", "properties status properties pods items properties node")
		seen(ctx, "status.usersSummary") // the API server has applied the older CRD
		blind, err := crdschema.NewCRD(operatorConfig)
		Expect(err).NotTo(HaveOccurred())
		c.reconcile = c.withCRD(blind)
		c.serve(ctx, c.files(), "files-a")
		Expect(podConditionTrue(c.pod(ctx, "files-a"), v1alpha1.RoutedConditionType)).To(BeTrue())
		Expect(current(ctx).Message).To(And(ContainSubstring("status.usersSummary"), ContainSubstring("status.pods[].node")))
		Expect(blind.Ready(nil)).NotTo(Succeed())
	})

	It("does not take a value that it does not know", func(ctx context.Context) {
		DeferCleanup(restoreCRD)
		u := emptyCRD()
		Expect(admin.Get(ctx, client.ObjectKey{Name: "ftpservers.ftp-operator.io"}, u)).To(Succeed())
		versions, _, err := unstructured.NestedSlice(u.Object, "spec", "versions")
		Expect(err).NotTo(HaveOccurred())
		version, _ := versions[0].(map[string]any)
		Expect(unstructured.SetNestedSlice(version, []any{"Waiting", "Draining"}, strings.Fields("schema openAPIV3Schema properties status properties pods items properties state enum")...)).To(Succeed())
		Expect(unstructured.SetNestedSlice(u.Object, versions, "spec", "versions")).To(Succeed())
		Expect(admin.Update(ctx, u)).To(Succeed())
		Eventually(func() string { // until the API server has applied it
			s := c.files(func(s *v1alpha1.FtpServer) { s.Name = "probe" })
			if err := admin.Create(ctx, s); err != nil {
				return err.Error()
			}
			defer func() { Expect(admin.Delete(ctx, s)).To(Succeed()) }()
			s.Status.Pods = []v1alpha1.PodStatus{{Name: "p", State: v1alpha1.PodReady}}
			err := admin.Status().Update(ctx, s)
			if err == nil {
				return ""
			}
			return err.Error()
		}, soon).Should(ContainSubstring("Unsupported value"))
		c.serve(ctx, c.files(), "files-a")
		Expect(podConditionTrue(c.pod(ctx, "files-a"), v1alpha1.RoutedConditionType)).To(BeTrue())
		Expect(current(ctx).Message).To(ContainSubstring("status.pods[].state"))
	})
})

// withCRD returns a reconciler with its own CRD check.
func (c *cluster) withCRD(look *crdschema.CRD) *controllers.Reconciler {
	GinkgoHelper()
	live := c.client(c.traffic)
	options := c.options(live, live)
	options.CRD = look
	return controllers.New(options)
}
