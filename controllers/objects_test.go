package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// files is the server of most tests: one user, an emptyDir, ten passive ports. Like all node ports that tests
// request, they are in 30000-30085: the API server gives other ports to Services that request none.
func (c *cluster) files(change ...func(*v1alpha1.FtpServer)) *v1alpha1.FtpServer {
	s := &v1alpha1.FtpServer{
		ObjectMeta: c.meta("files"),
		Spec: v1alpha1.FtpServerSpec{
			Replicas: ptr.To[int32](1),
			Passive:  v1alpha1.PassiveSpec{PortRange: v1alpha1.PortRange{Start: 30040, End: 30049}},
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

// password creates or changes a user's Secret.
func (c *cluster) password(ctx context.Context, user, password string) {
	GinkgoHelper()
	c.put(ctx, &corev1.Secret{ObjectMeta: c.meta(user + "-ftp"), Data: map[string][]byte{"password": []byte(password)}})
}

// put creates or overwrites an object.
func (c *cluster) put(ctx context.Context, object client.Object) {
	GinkgoHelper()
	err := admin.Create(ctx, object)
	if apierrors.IsAlreadyExists(err) {
		object.SetResourceVersion("")
		err = admin.Update(ctx, object)
	}
	Expect(err).NotTo(HaveOccurred())
}

// sharedClaim creates the bound claim for servers with several replicas.
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

// edit changes an object as a user would.
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

func claimSpec(mode corev1.PersistentVolumeAccessMode) corev1.PersistentVolumeClaimSpec {
	var spec corev1.PersistentVolumeClaimSpec
	Expect(yaml.Unmarshal(fmt.Appendf(nil, `{accessModes: [%s], resources: {requests: {storage: 1Gi}}}`, mode), &spec)).To(Succeed())
	return spec
}
