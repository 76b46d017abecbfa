package controllers_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
)

// These tests run the reconciler against a real API server. No kubelet and no controller of Kubernetes runs, so the
// tests do their work: see cluster_test.go.

var (
	env    *envtest.Environment
	admin  client.Client
	scheme = runtime.NewScheme()
	// operatorConfig is the configuration of a user that has the operator's ClusterRole and nothing else, so that
	// every test proves that the role is sufficient.
	operatorConfig *rest.Config
	operatorRules  []rbacv1.PolicyRule
	// crd is the CRD check that is shared by all tests that don't change the CRD.
	crd *crdschema.CRD
)

func TestControllers(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "controllers")
}

var _ = BeforeSuite(func(ctx context.Context) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		Fail("KUBEBUILDER_ASSETS must name the directory with etcd and kube-apiserver: run `make test`, which sets it")
	}
	log.SetLogger(GinkgoLogr)
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	env = &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	// If the API server created its own directories, stopping it would delete them together with its certificates.
	certificates, err := os.MkdirTemp("", "ftp-operator-apiserver-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(os.RemoveAll(certificates)).To(Succeed()) })
	env.ControlPlane.GetAPIServer().CertDir = certificates
	// As on some distributions: a client that writes owner references must be allowed to delete the object.
	env.ControlPlane.GetAPIServer().Configure().Append("enable-admission-plugins", "OwnerReferencesPermissionEnforcement")
	config, err := env.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(env.Stop()).To(Succeed()) })
	config.QPS, config.Burst = -1, 0
	admin, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	role := clusterRole()
	operatorRules = role.Rules
	Expect(admin.Create(ctx, role)).To(Succeed())
	Expect(admin.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "operator"},
		Subjects:   []rbacv1.Subject{{Kind: "User", Name: "operator"}},
		RoleRef:    rbacv1.RoleRef{Kind: "ClusterRole", Name: role.Name},
	})).To(Succeed())
	operatorConfig = userConfig("operator")
	crd, err = crdschema.NewCRD(operatorConfig)
	Expect(err).NotTo(HaveOccurred())
	crd.Check(ctx)
	Expect(admin.Create(ctx, &storagev1.StorageClass{
		ObjectMeta:  metav1.ObjectMeta{Name: "standard", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
		Provisioner: "example.com/disks", VolumeBindingMode: ptr.To(storagev1.VolumeBindingWaitForFirstConsumer),
	})).To(Succeed())
})

// userConfig creates a user of the API server and returns its configuration.
func userConfig(name string) *rest.Config {
	user, err := env.AddUser(envtest.User{Name: name}, nil)
	Expect(err).NotTo(HaveOccurred())
	config := user.Config()
	config.QPS, config.Burst = -1, 0
	return config
}

// clusterRole returns the first document of config/rbac/role.yaml.
func clusterRole() *rbacv1.ClusterRole {
	text, err := os.ReadFile(filepath.Join("..", "config", "rbac", "role.yaml"))
	Expect(err).NotTo(HaveOccurred())
	role := &rbacv1.ClusterRole{}
	documents := splitDocuments(string(text))
	Expect(yaml.UnmarshalStrict([]byte(documents[0]), role)).To(Succeed())
	Expect(role.Rules).NotTo(BeEmpty())
	return role
}
