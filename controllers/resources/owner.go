package resources

import (
	"k8s.io/apimachinery/pkg/types"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// serverOwner returns a reference that makes the server the owner of a child, which is deleted with the server.
func serverOwner(server *v1alpha1.FtpServer) *metaac.OwnerReferenceApplyConfiguration {
	return metaac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).
		WithKind("FtpServer").
		WithName(server.Name).
		WithUID(server.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}

// podOwner returns a reference that makes the pod the owner of its slice. The garbage collector deletes the slice
// once the pod is gone, even while the operator is down. So no slice outlives its pod and routes the pod's ports to
// an address that another pod may have by then. The reference does not block the deletion of the pod.
func podOwner(pod PodRoute) *metaac.OwnerReferenceApplyConfiguration {
	return metaac.OwnerReference().
		WithAPIVersion("v1").
		WithKind("Pod").
		WithName(pod.Name).
		WithUID(types.UID(pod.UID)).
		WithController(true)
}
