package resources

import (
	"strconv"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// What the pods and the operator agree on.
const (
	// ContainerName is the daemon's container.
	ContainerName = "ftpd"
	// ControlPortName names the control port in Service and EndpointSlices.
	ControlPortName = "ftp"
	// ControlPort is where the daemon listens: above 1023, so that it needs no privilege.
	ControlPort = 2121
	// ImplicitPortName and ImplicitPort are the control port on which TLS begins at once.
	ImplicitPortName = "ftps"
	ImplicitPort     = 9990
	// AdminPortName and AdminPort are the daemon's HTTP port: /healthz, /readyz, /status, /metrics.
	AdminPortName = "admin"
	AdminPort     = 8021
	// ConfigKey is the key of the configuration file in the config Secret, and its file name in the pod.
	ConfigKey = "ftpd.yaml"

	// ClientCAKey is the key of the clients' authorities in the config Secret.
	ClientCAKey = "client-ca.crt"

	// APIPort is where the daemon serves its management API: on loopback, within the pod, for
	// kubectl port-forward.
	APIPort = 8022

	configDir = "/etc/ftpd/config"
	podDir    = "/etc/ftpd/pod"
	portsFile = "passive-ports" // beside it is config.PodAddressFile
	dataDir   = "/data"
)

// DeploymentName is the server's name.
func DeploymentName(server *v1alpha1.FtpServer) string { return server.Name }

// ServiceName is the server's name.
func ServiceName(server *v1alpha1.FtpServer) string { return server.Name }

// NetworkPolicyName is the server's name.
func NetworkPolicyName(server *v1alpha1.FtpServer) string { return server.Name }

// PodDisruptionBudgetName is the server's name.
func PodDisruptionBudgetName(server *v1alpha1.FtpServer) string { return server.Name }

// ConfigSecretName is the server's name with -config.
func ConfigSecretName(server *v1alpha1.FtpServer) string { return server.Name + "-config" }

// CertificateKeys are the keys of a certificate and its key in the config Secret: of the server's
// own one, for which extra is empty, or of an extra one, by the name of its Secret.
func CertificateKeys(extra string) (cert, key string) {
	name := "tls"
	if extra != "" {
		name = "extra-" + extra
	}
	return name + ".crt", name + ".key"
}

// ClaimName is the name of the claim that is mounted: the one that the spec names, or the
// server's name with -data for a volumeClaimTemplate. Empty for an emptyDir.
func ClaimName(server *v1alpha1.FtpServer) string {
	storage := &server.Spec.Storage
	switch {
	case storage.PersistentVolumeClaim != nil:
		return storage.PersistentVolumeClaim.ClaimName
	case storage.VolumeClaimTemplate != nil:
		return server.Name + "-data"
	}
	return ""
}

// PassivePortName names a passive port in Service and EndpointSlices, as in p30000.
func PassivePortName(port uint16) string { return "p" + strconv.Itoa(int(port)) }
