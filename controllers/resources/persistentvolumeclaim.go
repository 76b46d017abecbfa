package resources

import (
	"strings"

	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These settings are for Argo CD. It takes an object without an owner for one of its own if the instance label names
// one of its applications, and prunes it with its content unless the option forbids that.
const (
	instanceLabel     = "app.kubernetes.io/instance"
	argoCDSyncOptions = "argocd.argoproj.io/sync-options"
	argoCDNoPrune     = "Prune=false"
)

// PersistentVolumeClaim returns the claim for spec.storage.volumeClaimTemplate; nil for other storage. The server
// owns the claim only if the claim is to be deleted with the server. A claim that is to stay has no instance label,
// and has the option that keeps Argo CD from pruning it.
func PersistentVolumeClaim(in Inputs) *coreac.PersistentVolumeClaimApplyConfiguration {
	server := in.Server
	template := server.Spec.Storage.VolumeClaimTemplate
	if template == nil {
		return nil
	}
	labels, annotations := userLabels(server, template.Metadata.Labels), userAnnotations(template.Metadata.Annotations)
	if template.WhenDeleted != v1alpha1.RetentionDelete {
		delete(labels, instanceLabel)
		annotations[argoCDSyncOptions] = noPrune(annotations[argoCDSyncOptions])
	}
	claim := coreac.PersistentVolumeClaim(ClaimName(server), server.Namespace).
		WithLabels(labels).
		WithSpec(as[coreac.PersistentVolumeClaimSpecApplyConfiguration](template.Spec))
	if len(annotations) > 0 {
		claim.WithAnnotations(annotations)
	}
	if template.WhenDeleted == v1alpha1.RetentionDelete {
		claim.WithOwnerReferences(serverOwner(server))
	}
	return claim
}

// noPrune adds the option to the user's options, unless one of them is about pruning.
func noPrune(options string) string {
	switch {
	case options == "":
		return argoCDNoPrune
	case strings.Contains(options, "Prune="):
		return options
	}
	return options + "," + argoCDNoPrune
}
