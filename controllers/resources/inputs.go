// Package resources builds the child objects of a FtpServer. There is one file for each kind, with a pure function
// from the server and the observed state to an apply configuration that holds only the fields that the operator owns.
// All other fields belong to others: the cluster, an autoscaler or a user.
package resources

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Operator identifies the pods that may reach a pod's admin port.
type Operator struct {
	// Namespace is the namespace of the operator.
	Namespace string
	// PodLabels select the operator's own pods in that namespace.
	PodLabels map[string]string
}

// Inputs is everything from which the children are built.
type Inputs struct {
	// Server is the declared server. The functions of this package do not change it.
	Server *v1alpha1.FtpServer
	// ScaledBy is the field manager that sets the Deployment's replicas through the scale subresource. The operator
	// then does not set them, and spec.replicas of Server has that number. Empty: spec.replicas counts.
	ScaledBy string
	// Image is the daemon's image, unless spec.image overrides it.
	Image string
	// Operator identifies the operator's pods, which may reach the admin port.
	Operator Operator
	// Exposed are the passive ports of the Service and the NetworkPolicy: see portplan.Plan.
	Exposed config.PortSet
	// TemplateRange is the value of the pod template's passive-range annotation: see portplan.TemplateRange.
	TemplateRange string
	// ConfigFile is the daemon's configuration file.
	ConfigFile []byte
	// ClaimAccessModes are the observed access modes of the existing claim that spec.storage.persistentVolumeClaim
	// names; empty while the claim is missing. They are not used for other storage.
	ClaimAccessModes []corev1.PersistentVolumeAccessMode
	// Certificates are the certificates of spec.tls that pods get, the server's main one first; empty: the daemon
	// does not offer TLS. ClientCA are the authorities of spec.tls.clientCA, as PEM; empty: clients are not asked for
	// certificates.
	Certificates []Certificate
	ClientCA     []byte
	// PasswordSources records, as text for an annotation, from which versions of their Secrets the users' hashes
	// come; empty: nothing is recorded.
	PasswordSources string
	// AdvertisedAddress is the address that PASV replies name. If it is a host name, the daemon needs DNS.
	AdvertisedAddress string
	// ClusterIP is the Service's cluster IP, which overrides may refer to; empty while it is not known.
	ClusterIP string
	// ServiceIPFamilies are the observed spec.ipFamilies of the Service; empty: only the primary address of each pod
	// is published.
	ServiceIPFamilies []corev1.IPFamily
	// LoadBalancer is the input by which the kind of the Service's load balancer is detected.
	LoadBalancer loadbalancer.Input
	// ServiceIngress is the observed status.loadBalancer.ingress of the Service.
	ServiceIngress []corev1.LoadBalancerIngress
}

// Certificate is a certificate of the server, as PEM.
type Certificate struct {
	// Extra is the name of the certificate's Secret if it is one of spec.tls.extraCertificates, and Hosts are the
	// hosts listed there; both are empty for the main certificate.
	Extra string
	Hosts []string
	// CertPEM and KeyPEM are the certificate chain and the key that belongs to it.
	CertPEM, KeyPEM []byte
}

// PodRoute is a pod as its EndpointSlice shows it.
type PodRoute struct {
	Name, UID, Namespace string
	// IPs are status.podIPs, the primary one first. Without an IP nothing is published.
	IPs []string
	// Node is the node that the pod runs on, and Zone its zone; empty when unknown.
	Node, Zone string
	// Ports are the pod's own passive ports: see portplan.Plan's Routes. If they are empty, only the control port is
	// routed to the pod.
	Ports config.PortSet
	// Ready is true if the pod takes new sessions, that is, its container is ready and it is not terminating.
	Ready bool
	// WarmingUp is true if the pod is ready, but so far only its passive ports are routed to it.
	WarmingUp bool
	// Serving is true if the pod's container accepts connections; a draining pod still serves.
	Serving bool
	// Terminating is true if the pod takes no new sessions and keeps its ports, because its deletion was requested or
	// its node is lost.
	Terminating bool
}
