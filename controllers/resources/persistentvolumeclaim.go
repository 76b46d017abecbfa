package resources

import (
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// PersistentVolumeClaim for spec.storage.volumeClaimTemplate; nil for other storage. The server
// owns it only if it is to be deleted with it.
func PersistentVolumeClaim(in Inputs) *coreac.PersistentVolumeClaimApplyConfiguration {
	server := in.Server
	template := server.Spec.Storage.VolumeClaimTemplate
	if template == nil {
		return nil
	}
	claim := coreac.PersistentVolumeClaim(ClaimName(server), server.Namespace).
		WithLabels(userLabels(server, template.Metadata.Labels)).
		WithSpec(as[coreac.PersistentVolumeClaimSpecApplyConfiguration](template.Spec))
	if annotations := userAnnotations(template.Metadata.Annotations); len(annotations) > 0 {
		claim.WithAnnotations(annotations)
	}
	if template.WhenDeleted == v1alpha1.RetentionDelete {
		claim.WithOwnerReferences(serverOwner(server))
	}
	return claim
}
