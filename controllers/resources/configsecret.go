package resources

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// ConfigSecret returns the Secret with the daemon's configuration file and the certificates that the file names. It
// is a Secret because the file contains password hashes and the certificates come with their keys.
//
// The certificates are copies. So pods get the configuration and its certificates together; TLS can be enabled, and
// its Secrets can be changed, deleted and created again, without replacing pods; a pod that restarts has the last
// good content; and a certificate is used only after the operator has checked it.
func ConfigSecret(in Inputs) *coreac.SecretApplyConfiguration {
	server := in.Server
	data := map[string][]byte{ConfigKey: in.ConfigFile}
	maps.Copy(data, tlsFiles(in))
	secret := coreac.Secret(ConfigSecretName(server), server.Namespace).
		WithLabels(Labels(server)).
		WithOwnerReferences(serverOwner(server)).
		WithType(corev1.SecretTypeOpaque).
		WithData(data)
	if in.PasswordSources != "" {
		secret.WithAnnotations(map[string]string{v1alpha1.PasswordSourcesAnnotation: in.PasswordSources})
	}
	return secret
}
