package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// manyPodsStorage returns a claim that several pods can mount, on several nodes if there is a class for that.
func manyPodsStorage() v1alpha1.StorageSpec {
	var class *string
	if env.sharedClass != "" {
		class = &env.sharedClass
	}
	return v1alpha1.StorageSpec{VolumeClaimTemplate: &v1alpha1.VolumeClaimTemplate{
		WhenDeleted: v1alpha1.RetentionDelete,
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: oneGi}},
		},
	}}
}

// withFile creates a server with its own claim, stores kept.bin there, and returns the content.
func withFile(ctx context.Context, whenDeleted v1alpha1.RetentionPolicy) (server *v1alpha1.FtpServer, content []byte) {
	GinkgoHelper()
	server = newServer(ctx, func(s *v1alpha1.FtpServer) {
		s.Spec.Storage = v1alpha1.StorageSpec{VolumeClaimTemplate: &v1alpha1.VolumeClaimTemplate{
			WhenDeleted: whenDeleted,
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: oneGi}},
			},
		}}
	})
	waitReady(ctx, server)
	content = randomBytes(1 << 20)
	session := login(ctx, inPod, server)
	Expect(session.Store(ctx, ftpclient.PASV, "kept.bin", content)).To(Succeed())
	Expect(session.Quit()).To(Succeed())
	return server, content
}

// expectFile expects kept.bin to have the content.
func expectFile(ctx context.Context, server *v1alpha1.FtpServer, content []byte) {
	GinkgoHelper()
	came, err := login(ctx, inPod, server).Retrieve(ctx, ftpclient.EPSV, "kept.bin")
	Expect(err).NotTo(HaveOccurred())
	Expect(came).To(Equal(content))
}
