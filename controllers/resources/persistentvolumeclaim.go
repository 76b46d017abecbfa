package resources

import (
	"strings"

	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// What Argo CD is told by: it takes an object without an owner for its own if the label names one of its
// applications, and prunes it with all that is in it, unless the option says not to.
const (
	instanceLabel     = "app.kubernetes.io/instance"
	argoCDSyncOptions = "argocd.argoproj.io/sync-options"
	argoCDNoPrune     = "Prune=false"
)

// PersistentVolumeClaim for spec.storage.volumeClaimTemplate; nil for other storage. The server
// owns it only if it is to be deleted with it. One that is to stay is nothing that belongs to an instance
// of an application, and says so.
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

// noPrune adds the option to those that the user gave, unless one of them is about pruning.
func noPrune(options string) string {
	switch {
	case options == "":
		return argoCDNoPrune
	case strings.Contains(options, "Prune="):
		return options
	}
	return options + "," + argoCDNoPrune
}
