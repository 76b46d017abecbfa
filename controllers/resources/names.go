package resources

import (
	"strconv"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the names and numbers on which the pods and the operator agree.
const (
	// ContainerName is the name of the daemon's container.
	ContainerName = "ftpd"
	// ControlPortName is the name of the control port in the Service and in EndpointSlices.
	ControlPortName = "ftp"
	// ControlPort is the port on which the daemon listens. It is above 1023, so that the daemon needs no privilege.
	ControlPort = 2121
	// ImplicitPortName and ImplicitPort are the name and number of the control port with implicit TLS.
	ImplicitPortName = "ftps"
	ImplicitPort     = 9990
	// AdminPortName and AdminPort are the name and number of the daemon's HTTP port, with /healthz, /readyz, /status
	// and /metrics.
	AdminPortName = "admin"
	AdminPort     = 8021
	// ConfigKey is the key of the configuration file in the config Secret, and its file name in the pod.
	ConfigKey = "ftpd.yaml"

	// ClientCAKey is the key of the clients' authorities in the config Secret.
	ClientCAKey = "client-ca.crt"

	// APIPort is the port of the daemon's management API. It listens on loopback within the pod, for kubectl
	// port-forward.
	APIPort = 8022

	configDir = "/etc/ftpd/config"
	podDir    = "/etc/ftpd/pod"
	portsFile = "passive-ports" // config.PodAddressFile is in the same directory
	dataDir   = "/data"
)

// DeploymentName returns the name of the Deployment: the server's name.
func DeploymentName(server *v1alpha1.FtpServer) string { return server.Name }

// ServiceName returns the name of the Service: the server's name.
func ServiceName(server *v1alpha1.FtpServer) string { return server.Name }

// NetworkPolicyName returns the name of the NetworkPolicy: the server's name.
func NetworkPolicyName(server *v1alpha1.FtpServer) string { return server.Name }

// PodDisruptionBudgetName returns the name of the PodDisruptionBudget: the server's name.
func PodDisruptionBudgetName(server *v1alpha1.FtpServer) string { return server.Name }

// ConfigSecretName returns the name of the config Secret: the server's name with the suffix -config.
func ConfigSecretName(server *v1alpha1.FtpServer) string { return server.Name + "-config" }

// CertificateKeys returns the keys in the config Secret under which a certificate and its private key are stored.
// extra is empty for the server's main certificate, and the name of its Secret for an extra one.
func CertificateKeys(extra string) (cert, key string) {
	name := "tls"
	if extra != "" {
		name = "extra-" + extra
	}
	return name + ".crt", name + ".key"
}

// ClaimName returns the name of the claim that is mounted: the one that the spec names, or for a volumeClaimTemplate
// the server's name with the suffix -data; empty for an emptyDir.
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

// PassivePortName returns the name of a passive port in the Service and in EndpointSlices, as in p30000.
func PassivePortName(port uint16) string { return "p" + strconv.Itoa(int(port)) }
