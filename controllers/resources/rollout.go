package resources

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

const (
	defaultGracePeriodSeconds = 3600
	// progressSeconds is the time, in addition to the grace period, that a rollout may make no progress.
	progressSeconds = 600
)

// Replicas returns spec.replicas, which is 1 by default.
func Replicas(server *v1alpha1.FtpServer) int32 {
	if server.Spec.Replicas != nil {
		return *server.Spec.Replicas
	}
	return 1
}

// TooManyReplicas returns why the server can't have its number of replicas; empty if it can. The API has the same
// rules for spec.replicas.
func TooManyReplicas(server *v1alpha1.FtpServer) string {
	storage := &server.Spec.Storage
	switch {
	case Replicas(server) <= 1:
	case storage.EmptyDir != nil:
		return "with storage.emptyDir each pod has files of its own: use a volume with ReadWriteMany"
	case storage.VolumeClaimTemplate != nil &&
		slices.Contains(storage.VolumeClaimTemplate.Spec.AccessModes, corev1.ReadWriteOncePod):
		return "its volume (ReadWriteOncePod) can be mounted by one pod only: use ReadWriteMany"
	case server.Spec.Service.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal:
		return "service.externalTrafficPolicy Local sends passive ports to nodes whose pod does not hold them: set it to Cluster"
	}
	return ""
}

// GracePeriodSeconds returns spec.template.terminationGracePeriodSeconds, which is 3600 by default.
func GracePeriodSeconds(server *v1alpha1.FtpServer) int64 {
	if s := server.Spec.Template.TerminationGracePeriodSeconds; s != nil {
		return *s
	}
	return defaultGracePeriodSeconds
}

// Surge returns the number of pods that a rollout may have beyond the replicas: 1, or 0 if the storage can be mounted
// on one node only. For claimModes see Inputs.ClaimAccessModes.
func Surge(server *v1alpha1.FtpServer, claimModes []corev1.PersistentVolumeAccessMode) int {
	if singleNode(server, claimModes) {
		return 0
	}
	return 1
}

// singleNode reports whether the storage can be mounted on only one node at a time. A claim whose access modes are
// not known counts as such, which can never cause a deadlock.
func singleNode(server *v1alpha1.FtpServer, claimModes []corev1.PersistentVolumeAccessMode) bool {
	storage := &server.Spec.Storage
	switch {
	case storage.PersistentVolumeClaim != nil:
	case storage.VolumeClaimTemplate != nil:
		claimModes = storage.VolumeClaimTemplate.Spec.AccessModes
	default:
		return false
	}
	return !slices.Contains(claimModes, corev1.ReadWriteMany) && !slices.Contains(claimModes, corev1.ReadOnlyMany)
}

// strategy replaces the pods one by one. Normally the new pod is started first, so that there is always one that
// takes sessions. If the storage can be mounted on one node only, the old pod is stopped first: otherwise a new pod
// on another node would wait for the volume, and the old pod would stay until the new one is ready.
func strategy(in Inputs) *appsac.DeploymentStrategyApplyConfiguration {
	surge := Surge(in.Server, in.ClaimAccessModes)
	return appsac.DeploymentStrategy().
		WithType("RollingUpdate").
		WithRollingUpdate(appsac.RollingUpdateDeployment().
			WithMaxSurge(intstr.FromInt32(int32(surge))).
			WithMaxUnavailable(intstr.FromInt32(int32(1 - surge))))
}
