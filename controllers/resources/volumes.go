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

	// secretFileMode lets only the daemon's user and group read the password hashes.
	secretFileMode = 0o440
)

// volumes of a pod: the configuration, what the pod is told about itself, and the users' files.
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
					// Whether or not the pod has an address of its own, so that it can without being replaced.
					annotationFile(config.PodAddressFile, v1alpha1.AdvertisedAddressAnnotation))),
		storageVolume(in.Server),
	}
}

// annotationFile is a file with the value of an annotation of the pod, empty while there is none.
func annotationFile(name, annotation string) *coreac.DownwardAPIVolumeFileApplyConfiguration {
	return coreac.DownwardAPIVolumeFile().
		WithPath(name).
		WithFieldRef(coreac.ObjectFieldSelector().
			// The default, but in a list that is one field as a whole: without it the
			// API server's answer would never look like what was asked for.
			WithAPIVersion("v1").
			WithFieldPath("metadata.annotations['" + annotation + "']"))
}

// storageVolume holds the users' files.
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

// volumeMounts of the daemon's container. No subPath: such a mount is never refreshed.
func volumeMounts() []*coreac.VolumeMountApplyConfiguration {
	return []*coreac.VolumeMountApplyConfiguration{
		coreac.VolumeMount().WithName(configVolume).WithMountPath(configDir).WithReadOnly(true),
		coreac.VolumeMount().WithName(podVolume).WithMountPath(podDir).WithReadOnly(true),
		coreac.VolumeMount().WithName(dataVolume).WithMountPath(dataDir),
	}
}
