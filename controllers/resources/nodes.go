package resources

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// NeedsNodes reports whether the server's address must come from a node.
func NeedsNodes(server *v1alpha1.FtpServer) bool {
	return ServiceType(server) == corev1.ServiceTypeNodePort && server.Spec.Passive.AdvertisedAddress == ""
}
