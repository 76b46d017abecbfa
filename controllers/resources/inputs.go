// Package resources makes the child objects of a FtpServer: one file a kind, each a pure function
// of the server and of what was observed, to an apply configuration that holds only the fields
// that the operator owns. Whatever is absent belongs to somebody else: the cluster, an autoscaler,
// a person.
package resources

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Operator tells the children who may reach a pod's admin port.
type Operator struct {
	// Namespace that the operator runs in.
	Namespace string
	// PodLabels select the operator's own pods there.
	PodLabels map[string]string
}

// Inputs is all that the children are made from.
type Inputs struct {
	// Server is the declared server. It is not changed.
	Server *v1alpha1.FtpServer
	// ScaledBy is the manager that sets the Deployment's replicas through its scale subresource, which
	// the operator then leaves alone; Server has them as its own. Empty: spec.replicas counts.
	ScaledBy string
	// Image is the daemon's image, unless spec.image overrides it.
	Image string
	// Operator reaches the admin port.
	Operator Operator
	// Exposed are the passive ports of Service and NetworkPolicy: portplan.Plan's.
	Exposed config.PortSet
	// TemplateRange is the value of the pod template's passive-range annotation: see portplan.TemplateRange.
	TemplateRange string
	// ConfigFile is the daemon's configuration file.
	ConfigFile []byte
	// ClaimAccessModes are those of an existing claim that spec.storage.persistentVolumeClaim
	// names, as observed; empty while it is missing. Not used for other storage.
	ClaimAccessModes []corev1.PersistentVolumeAccessMode
	// Certificates are those of spec.tls that pods are given, the server's own one first; empty:
	// the daemon speaks no TLS. ClientCA are the authorities of spec.tls.clientCA, as PEM; empty:
	// clients are not asked for certificates.
	Certificates []Certificate
	ClientCA     []byte
	// PasswordSources says which versions of their Secrets the users' hashes came of, as text for an annotation;
	// empty: nothing is recorded.
	PasswordSources string
	// AdvertisedAddress is what PASV names: a host name needs DNS.
	AdvertisedAddress string
	// ClusterIP is the Service's cluster IP that overrides may name; empty while it is not known.
	ClusterIP string
	// ServiceIPFamilies are spec.ipFamilies of the Service, as observed; empty: of each pod only
	// the primary address is published.
	ServiceIPFamilies []corev1.IPFamily
	// LoadBalancer is what the kind of the Service's load balancer is known by.
	LoadBalancer loadbalancer.Input
	// ServiceIngress is status.loadBalancer.ingress of the Service, as observed.
	ServiceIngress []corev1.LoadBalancerIngress
}

// Certificate is a certificate of the server, as PEM.
type Certificate struct {
	// Extra is the name of its Secret, if it is one of spec.tls.extraCertificates, with its Hosts.
	Extra string
	Hosts []string
	// CertPEM and KeyPEM fit each other.
	CertPEM, KeyPEM []byte
}

// PodRoute is a pod as its EndpointSlice shows it.
type PodRoute struct {
	Name, UID, Namespace string
	// IPs are status.podIPs, the primary one first. Without one there is nothing to publish.
	IPs []string
	// Node it runs on, and its zone; empty when unknown.
	Node, Zone string
	// Ports are its own passive ports: portplan.Plan's Routes. Empty: only the control port leads to it.
	Ports config.PortSet
	// Ready: it takes new sessions, that is its container is ready and it is not terminating.
	Ready bool
	// Settling: it is ready, but only its passive ports lead to it yet.
	Settling bool
	// Serving: its container answers; a draining pod still serves.
	Serving bool
	// Terminating: it takes no new sessions and keeps its ports: its deletion was asked for, or its node is lost.
	Terminating bool
}
