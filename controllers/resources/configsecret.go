package resources

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// ConfigSecret holds the daemon's configuration file, and the certificates that it names. It is a
// Secret for the password hashes and keys in it.
//
// The certificates are copies. So pods get configuration and certificates in one piece, and
// TLS can be switched on, and its Secrets be changed, lost and found, without replacing pods; a pod that
// starts anew has what was last good; and a certificate counts only once the operator has read it.
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
