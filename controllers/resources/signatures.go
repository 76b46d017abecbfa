package resources

import (
	corev1 "k8s.io/api/core/v1"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	discoveryac "k8s.io/client-go/applyconfigurations/discovery/v1"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Deployment of the pods. Its name is the server's.
func Deployment(in Inputs) *appsac.DeploymentApplyConfiguration { return nil }

// Service that clients reach. Its name is the server's.
func Service(in Inputs) *coreac.ServiceApplyConfiguration { return nil }

// EndpointSlices of one pod: one for each address family that the Service has; none while the pod
// has no address. Their owner is the pod.
func EndpointSlices(in Inputs, pod PodRoute) []*discoveryac.EndpointSliceApplyConfiguration {
	return nil
}

// ConfigSecret holds the daemon's configuration file.
func ConfigSecret(in Inputs) *coreac.SecretApplyConfiguration { return nil }

// PersistentVolumeClaim for spec.storage.volumeClaimTemplate; nil for other storage.
func PersistentVolumeClaim(in Inputs) *coreac.PersistentVolumeClaimApplyConfiguration { return nil }

// NetworkPolicy of the pods; nil if the server declines one.
func NetworkPolicy(in Inputs) *networkingac.NetworkPolicyApplyConfiguration { return nil }

// DaemonConfig maps the server to the daemon's configuration. Users are those whose password is known,
// in the order of the spec. Address is what PASV names; empty while unknown.
func DaemonConfig(server *v1alpha1.FtpServer, users []config.User, address string) *config.Config {
	return nil
}

// DaemonUser maps a user, with the hash of the password.
func DaemonUser(user v1alpha1.User, hash string) config.User { return config.User{} }

// Replicas is spec.replicas with its default.
func Replicas(server *v1alpha1.FtpServer) int32 { return 1 }

// Surge is how many pods a rollout may have beyond the replicas: 1, or 0 where the storage can be mounted
// on one node only. claimModes as in Inputs.ClaimAccessModes.
func Surge(server *v1alpha1.FtpServer, claimModes []corev1.PersistentVolumeAccessMode) int { return 1 }

// ExternalTrafficPolicy is the Service's: as declared, else Local for one replica and
// Cluster for more. Empty for type ClusterIP, which has none.
func ExternalTrafficPolicy(server *v1alpha1.FtpServer) corev1.ServiceExternalTrafficPolicy { return "" }

// DeploymentName, ServiceName, NetworkPolicyName, ConfigSecretName and ClaimName name the children.
func DeploymentName(server *v1alpha1.FtpServer) string    { return server.Name }
func ServiceName(server *v1alpha1.FtpServer) string       { return server.Name }
func NetworkPolicyName(server *v1alpha1.FtpServer) string { return server.Name }
func ConfigSecretName(server *v1alpha1.FtpServer) string  { return server.Name + "-config" }
func ClaimName(server *v1alpha1.FtpServer) string         { return server.Name + "-data" }

// SelectorLabels select the server's pods and slices.
func SelectorLabels(server *v1alpha1.FtpServer) map[string]string { return nil }

// Labels are on every child.
func Labels(server *v1alpha1.FtpServer) map[string]string { return nil }
