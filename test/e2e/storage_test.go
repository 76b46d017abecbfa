package e2e

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// manyPodsStorage is a claim that several pods mount, as several replicas need: on several nodes, if
// there is a class for it.
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
