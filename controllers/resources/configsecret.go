package resources

import (
	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
)

// ConfigSecret holds the daemon's configuration file. It is a Secret for the password hashes in it.
func ConfigSecret(in Inputs) *coreac.SecretApplyConfiguration {
	server := in.Server
	return coreac.Secret(ConfigSecretName(server), server.Namespace).
		WithLabels(Labels(server)).
		WithOwnerReferences(serverOwner(server)).
		WithType(corev1.SecretTypeOpaque).
		WithData(map[string][]byte{ConfigKey: in.ConfigFile})
}
