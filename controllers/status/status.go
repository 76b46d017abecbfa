// Package status computes a FtpServer's status from what was observed. It is pure: there is one file for each
// condition, with a function of Observed, and Compute combines them.
//
// Ready, Reconciling and Stalled follow kstatus, so that `kubectl wait`, `helm --wait` and GitOps tools understand
// them: Reconciling and Stalled are present only while true, and never both.
package status

import (
	"fmt"
	"sort"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

// Observed is everything from which a status is computed.
type Observed struct {
	// Server is the declared server with its previous status.
	Server *v1alpha1.FtpServer
	// Replicas is the desired number of pods. ScaledBy is the field manager that set it; empty if it is
	// spec.replicas.
	Replicas int32
	ScaledBy string
	// Deployment is the Deployment of the pods, after the apply; nil while there is none.
	Deployment *appsv1.Deployment
	// Pods are the server's own pods, in any order, including terminating ones.
	Pods []Pod
	// Plan is the plan of the passive ports.
	Plan portplan.Plan
	// Ports describes the ports of the Service.
	Ports Ports
	// Address is the address to advertise.
	Address address.Result
	// DataPeer is the configured check that verifies to which client a data connection belongs.
	DataPeer DataPeer
	// LoadBalancer is the input for the limits of the Service's load balancer.
	LoadBalancer loadbalancer.Input
	// ClientNetworks describes the networks that clients may connect from.
	ClientNetworks ClientNetworks
	// Port is the control port that clients dial; 0 while it is not known.
	Port int32
	// Users describes the users by the state of their passwords.
	Users Users
	// ImplicitPort is the port for implicit TLS that clients dial; 0 if there is none.
	ImplicitPort int32
	// Certificates describes the certificates that spec.tls names.
	Certificates Certificates
	// Storage describes the volume.
	Storage Storage
	// CRD describes the CustomResourceDefinition.
	CRD CRD
	// ConfigHash identifies the configuration that the pods should serve; empty while there is none.
	ConfigHash string
	// Problems are what prevented children from being applied; empty if everything is applied.
	Problems []Problem
	// SelectorLabels are the labels that select the pods.
	SelectorLabels map[string]string
}

// Compute returns the status. It keeps the conditions of other controllers, and the transition times of those of our
// conditions whose status does not change.
func Compute(o Observed, now metav1.Time) v1alpha1.FtpServerStatus {
	s := *o.Server.Status.DeepCopy()
	s.ObservedGeneration = o.Server.Generation
	s.AdvertisedAddress = o.Address.Address
	s.AdvertisedAddressSource = o.Address.Source
	s.DataPeerCheck, s.DataPeerCheckReason = dataPeerCheck(o)
	s.Port = o.Port
	s.Endpoint = address.Endpoint("ftp", o.Address.Address, o.Port)
	s.FTPSEndpoint = address.Endpoint("ftps", o.Address.Address, o.ImplicitPort)
	s.Endpoints = endpoints(o)
	s.CertificateNotAfter = nil
	if end := o.Certificates.notAfter(); !end.IsZero() {
		s.CertificateNotAfter = &metav1.Time{Time: end}
	}
	s.ScaledBy = o.ScaledBy
	s.PassiveRange, s.PassivePortRanges = o.Plan.Exposed.String(), nil
	for _, run := range o.Plan.Exposed.Runs() {
		s.PassivePortRanges = append(s.PassivePortRanges, v1alpha1.PortSpan{Start: int32(run.First), End: int32(run.Last)})
	}
	if o.Server.Spec.Passive.PortCount == 0 {
		s.AllocatedPortRange = ""
	}
	s.Pods = Pods(o.Pods)
	s.Selector = labels.SelectorFromSet(o.SelectorLabels).String()
	s.Users = int32(len(o.Users.Ready)) //nolint:gosec // at most 1000 by the API
	s.UsersSummary = fmt.Sprintf("%d/%d", len(o.Users.Ready), len(o.Server.Spec.Users))
	s.Replicas, s.ReadyReplicas = 0, 0
	for i := range o.Pods {
		if !o.Pods[i].Terminating {
			s.Replicas++
			if o.Pods[i].Ready {
				s.ReadyReplicas++
			}
		}
	}
	s.ReplicasSummary = fmt.Sprintf("%d/%d", s.ReadyReplicas, o.Replicas)

	parts := []metav1.Condition{
		available(o), addressResolved(o, now.Time), passivePortsExposed(o), passivePortsAssigned(o),
		portsWithinLimits(o), clientNetworksEnforced(o), usersReady(o), storageReady(o, now.Time),
		certificateReady(o, now.Time), configLoaded(o), scaleAsDeclared(o), crdCurrent(o), notSuspended(),
	}
	summary := ready(o, parts)
	for _, c := range append(parts, summary) {
		set(&s.Conditions, c, o.Server.Generation, now)
	}
	setOrRemove(&s.Conditions, v1alpha1.ConditionStalled, stalled(o, summary), o.Server.Generation, now)
	setOrRemove(&s.Conditions, v1alpha1.ConditionReconciling, reconciling(o, summary), o.Server.Generation, now)
	s.Conditions = inOrder(s.Conditions)
	return s
}

// endpoints returns where clients connect; none while the address is not known.
func endpoints(o Observed) []v1alpha1.Endpoint {
	var all []v1alpha1.Endpoint
	for _, e := range []v1alpha1.Endpoint{{Scheme: "ftp", Port: o.Port}, {Scheme: "ftps", Port: o.ImplicitPort}} {
		if e.Address = o.Address.Address; e.Address != "" && e.Port != 0 {
			all = append(all, e)
		}
	}
	return all
}

func set(conditions *[]metav1.Condition, c metav1.Condition, generation int64, now metav1.Time) {
	c.ObservedGeneration = generation
	c.LastTransitionTime = now // SetStatusCondition keeps the old time unless the status changes
	c.Message = bounded.Text(c.Message, bounded.Condition)
	meta.SetStatusCondition(conditions, c)
}

func setOrRemove(conditions *[]metav1.Condition, kind string, c *metav1.Condition, generation int64, now metav1.Time) {
	if c == nil {
		meta.RemoveStatusCondition(conditions, kind)
		return
	}
	set(conditions, *c, generation, now)
}

// Pods returns status.pods, sorted by name: which pod holds which passive ports.
func Pods(pods []Pod) []v1alpha1.PodStatus {
	var list []v1alpha1.PodStatus
	for i := range pods {
		p := &pods[i]
		list = append(list, v1alpha1.PodStatus{
			Name: p.Name, PassivePorts: p.Ports.String(), Node: p.Node, State: p.State(),
			AdvertisedIP: p.advertisedIP(),
		})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

// deploymentCondition returns the Deployment's condition of that type, or nil.
func deploymentCondition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	if d == nil {
		return nil
	}
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == kind {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

func isTrue(c *appsv1.DeploymentCondition) bool { return c != nil && c.Status == corev1.ConditionTrue }
