package resources

import (
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

const (
	configVolume = "config"
	podVolume    = "pod"
	dataVolume   = "data"

	// secretFileMode allows only the daemon's user and group to read the password hashes.
	secretFileMode = 0o440
)

// volumes returns the volumes of a pod: the configuration, the annotations with the pod's ports and address, and the
// users' files.
func volumes(in Inputs) []*coreac.VolumeApplyConfiguration {
	return []*coreac.VolumeApplyConfiguration{
		coreac.Volume().WithName(configVolume).
			WithSecret(coreac.SecretVolumeSource().
				WithSecretName(ConfigSecretName(in.Server)).
				WithDefaultMode(secretFileMode)),
		coreac.Volume().WithName(podVolume).
			WithDownwardAPI(coreac.DownwardAPIVolumeSource().
				WithItems(
					annotationFile(portsFile, v1alpha1.PassivePortsAnnotation),
					// The file is listed whether or not the pod has an address of its own, so that a pod can get one
					// without being replaced.
					annotationFile(config.PodAddressFile, v1alpha1.AdvertisedAddressAnnotation))),
		storageVolume(in.Server),
	}
}

// annotationFile returns a file with the value of one of the pod's annotations; it is empty while the pod does not
// have the annotation.
func annotationFile(name, annotation string) *coreac.DownwardAPIVolumeFileApplyConfiguration {
	return coreac.DownwardAPIVolumeFile().
		WithPath(name).
		WithFieldRef(coreac.ObjectFieldSelector().
			// "v1" is the default, but it must be set: the field is in a list that is compared as a whole, and
			// without it the API server's answer would always differ from the desired object.
			WithAPIVersion("v1").
			WithFieldPath("metadata.annotations['" + annotation + "']"))
}

// storageVolume returns the volume that holds the users' files.
func storageVolume(server *v1alpha1.FtpServer) *coreac.VolumeApplyConfiguration {
	volume := coreac.Volume().WithName(dataVolume)
	if claim := ClaimName(server); claim != "" {
		return volume.WithPersistentVolumeClaim(coreac.PersistentVolumeClaimVolumeSource().WithClaimName(claim))
	}
	dir := coreac.EmptyDirVolumeSource()
	if user := server.Spec.Storage.EmptyDir; user != nil {
		dir = as[coreac.EmptyDirVolumeSourceApplyConfiguration](user)
	}
	return volume.WithEmptyDir(dir)
}

// volumeMounts returns the mounts of the daemon's container. None has a subPath, since the kubelet never refreshes
// such a mount.
func volumeMounts() []*coreac.VolumeMountApplyConfiguration {
	return []*coreac.VolumeMountApplyConfiguration{
		coreac.VolumeMount().WithName(configVolume).WithMountPath(configDir).WithReadOnly(true),
		coreac.VolumeMount().WithName(podVolume).WithMountPath(podDir).WithReadOnly(true),
		coreac.VolumeMount().WithName(dataVolume).WithMountPath(dataDir),
	}
}
