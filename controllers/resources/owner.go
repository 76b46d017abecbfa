package resources

import (
	"k8s.io/apimachinery/pkg/types"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// serverOwner makes the server the owner of a child: the child goes with it.
func serverOwner(server *v1alpha1.FtpServer) *metaac.OwnerReferenceApplyConfiguration {
	return metaac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).
		WithKind("FtpServer").
		WithName(server.Name).
		WithUID(server.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}

// podOwner makes the pod the owner of its slice: the garbage collector removes the slice once the pod
// is gone, even while the operator is down, so that no slice outlives its pod and leads its ports
// to an address that another pod may have by then. It must not block the pod's deletion.
func podOwner(pod PodRoute) *metaac.OwnerReferenceApplyConfiguration {
	return metaac.OwnerReference().
		WithAPIVersion("v1").
		WithKind("Pod").
		WithName(pod.Name).
		WithUID(types.UID(pod.UID)).
		WithController(true)
}
