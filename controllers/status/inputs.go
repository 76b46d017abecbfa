package status

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Pod is one of the server's pods as observed.
type Pod struct {
	Name, Node string
	// Ports are the pod's own passive ports; empty until some are assigned.
	Ports config.PortSet
	// Address is the address of the pod's own node if the pod is reached only by it; the zero value if the pod
	// advertises the server's address.
	Address address.Result
	// Running is true if the daemon's container runs. Ready is true if the pod is ready in the sense of Kubernetes,
	// which includes the readiness gate, that is, the routing. Terminating is true if its deletion was requested.
	Running, Ready, Terminating bool
	// Trouble is why the pod's container does not run; the zero value while it starts normally.
	Trouble Trouble
	// Daemon is the daemon's own report; nil if it was not asked or did not answer, in which case DaemonError says
	// why. Both are zero for a pod that does not run.
	Daemon      *config.Status
	DaemonError string
	// DaemonPending is true if the daemon did not answer, but not for long enough yet to count as out of reach.
	// Daemon is then its earlier report, if there is one.
	DaemonPending bool
}

// State returns the pod's state with regard to routing.
func (p *Pod) State() v1alpha1.PodState {
	switch {
	case p.Terminating:
		return v1alpha1.PodDraining
	case p.Ready:
		return v1alpha1.PodReady
	}
	return v1alpha1.PodWaiting
}

// advertisedIP returns the address that PASV replies name, as the pod's daemon reports it; empty if it could not be
// asked. A draining pod is not asked: for it the result is the address of its own that it was given, if any.
func (p *Pod) advertisedIP() string {
	switch {
	case p.Daemon == nil && p.Terminating:
		return p.Address.Address
	case p.Daemon == nil:
		return ""
	}
	if _, err := netip.ParseAddr(p.Daemon.AdvertisedIP); err != nil {
		return "" // the process that answered may not be our daemon
	}
	return p.Daemon.AdvertisedIP
}

// Advertises returns the address that the pod is to advertise; empty while none is known.
func (p *Pod) Advertises(o *Observed) string {
	if p.Address.Address != "" {
		return p.Address.Address
	}
	return o.Address.Address
}

// Users describes the users by the state of their passwords.
type Users struct {
	// Ready are the names of the users that can log in.
	Ready []string
	// Hashing are the names of the users that can't log in yet because their passwords are being read and hashed.
	Hashing []string
	// Replacing are the problems of those users in Ready whose password is missing and whose former one is still
	// valid for a short time.
	Replacing []UserProblem
	// Problems are the problems of the users that can't log in.
	Problems []UserProblem
	// Anonymous is true if login without an account is allowed.
	Anonymous bool
}

// UserProblem says why a user can't log in.
type UserProblem struct {
	User string
	// Missing is true if the Secret or its key is missing; otherwise its content is unusable.
	Missing bool
	// Message says what is wrong and what to do. It never contains any part of a Secret's value.
	Message string
}

// Storage describes the server's volume.
type Storage struct {
	// Claim is the claim's name; empty if the storage is an emptyDir.
	Claim string
	// Ours is true if the claim is made from spec.storage.volumeClaimTemplate.
	Ours bool
	// Found is true if the claim exists. Phase is then its phase (Pending, Bound, Lost), and Terminating is true if
	// its deletion was requested.
	Found       bool
	Phase       string
	Terminating bool
	// Class is the claim's StorageClass; it is set only while the claim waits for its volume.
	Class StorageClass
	// Refusal is why the claim is not as spec.storage.volumeClaimTemplate says; the zero value if it is.
	Refusal ClaimRefusal
}

// StorageClass describes the class of a claim that waits for its volume.
type StorageClass struct {
	// Known is true if the class could be looked up. An operator that is limited to some namespaces may not do that.
	Known bool
	// Name is empty if the claim names no class, because there was no default one. Static is true if the claim needs
	// a volume that is not provisioned by a class.
	Name   string
	Static bool
	// Found is true if the class exists. Provisioner is then its provisioner, and WaitsForPod is true if it waits for
	// the first pod that uses the claim.
	Found       bool
	Provisioner string
	WaitsForPod bool
}

// ClaimRefusal is why a claim can't be made as declared.
type ClaimRefusal struct {
	// Reason is a reason of the StorageReady condition.
	Reason string
	// Message says what to do.
	Message string
}

// ProblemKind is a class of Problem.
type ProblemKind string

// These are the kinds of problems, which are also reasons of the Stalled condition.
const (
	// ProblemConflict means that a child's name is taken by an object that is not ours.
	ProblemConflict ProblemKind = "ChildConflict"
	// ProblemRejected means that the API server refuses a child because of its content or its place; a retry does not
	// help until something is changed.
	ProblemRejected ProblemKind = "ChildRejected"
	// ProblemScaled means that an autoscaler requests more pods than the spec can have.
	ProblemScaled ProblemKind = "ScaledTooFar"
	// ProblemNotAllowed means that the operator's administrator does not allow what the spec requests.
	ProblemNotAllowed ProblemKind = "NotAllowed"
	// ProblemContested means that another manager writes a child too, and each undoes what the other wrote.
	ProblemContested ProblemKind = "ChildContested"
	// ProblemFailed means that the API server failed; a retry may help.
	ProblemFailed ProblemKind = "ApplyFailed"
)

// Problem is what prevented a child from being applied.
type Problem struct {
	Kind ProblemKind
	// Object is the child, as in "Service default/files".
	Object string
	// Message says what happened and what to do.
	Message string
}

// lasting reports whether the problem stays until a user or another component changes something.
func (p Problem) lasting() bool { return p.Kind != ProblemFailed }

// list joins names for a message: all of up to five, or the first five and the number of the others.
func list(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// plural formats a number of things for a message.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
