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
	// Ports are its own passive ports; empty until some are assigned.
	Ports config.PortSet
	// Address is that of its own node, if it is reached by that alone; zero: it advertises the server's.
	Address address.Result
	// Running: its daemon's container runs. Ready: Kubernetes calls the pod ready, which includes
	// the readiness gate, that is the routing. Terminating: its deletion was asked for.
	Running, Ready, Terminating bool
	// Trouble is why its container does not run, if it is more than being on its way.
	Trouble Trouble
	// Daemon is the daemon's own report; nil if it was not asked or gave none, DaemonError then
	// says why. Both are zero for a pod that does not run.
	Daemon      *config.Status
	DaemonError string
	// DaemonPending: it did not answer, but not yet for so long that it counts as out of reach. Daemon
	// is then what it said before, if anything.
	DaemonPending bool
}

// State is the pod's state as the routing sees it.
func (p *Pod) State() v1alpha1.PodState {
	switch {
	case p.Terminating:
		return v1alpha1.PodDraining
	case p.Ready:
		return v1alpha1.PodReady
	}
	return v1alpha1.PodWaiting
}

// advertisedIP is what its daemon says that PASV names; empty if it could not be asked. A pod that drains is not asked:
// it is what it was told, if it was told an address of its own.
func (p *Pod) advertisedIP() string {
	switch {
	case p.Daemon == nil && p.Terminating:
		return p.Address.Address
	case p.Daemon == nil:
		return ""
	}
	if _, err := netip.ParseAddr(p.Daemon.AdvertisedIP); err != nil {
		return "" // what answers need not be our daemon
	}
	return p.Daemon.AdvertisedIP
}

// Advertises is the address that the pod is to advertise; empty while none is known.
func (p *Pod) Advertises(o *Observed) string {
	if p.Address.Address != "" {
		return p.Address.Address
	}
	return o.Address.Address
}

// Users tells whose passwords were found.
type Users struct {
	// Ready are the names of the users that can log in.
	Ready []string
	// Hashing are users who can't log in yet since their passwords are being read and hashed.
	Hashing []string
	// Replacing tells of those of Ready whose password is missing, for whom the former one serves for a moment.
	Replacing []UserProblem
	// Problems are those of the others.
	Problems []UserProblem
	// Anonymous is true if login without an account is allowed.
	Anonymous bool
}

// UserProblem says why a user can't log in.
type UserProblem struct {
	User string
	// Missing is true if the Secret or its key is not there, else its content is unusable.
	Missing bool
	// Message says what is wrong and what to do. It never holds anything of a Secret's value.
	Message string
}

// Storage tells of the server's volume.
type Storage struct {
	// Claim is the claim's name; empty if the storage is an emptyDir.
	Claim string
	// Ours is true for a claim that is made from spec.storage.volumeClaimTemplate.
	Ours bool
	// Found, and then Phase (Pending, Bound, Lost) and Terminating.
	Found       bool
	Phase       string
	Terminating bool
	// Class is the claim's StorageClass, while the claim waits for its volume.
	Class StorageClass
	// Refusal is why the claim is not as spec.storage.volumeClaimTemplate says; zero if it is.
	Refusal ClaimRefusal
}

// StorageClass is what a claim that waits for its volume depends on.
type StorageClass struct {
	// Known: it could be looked up. The operator of some namespaces may not do that.
	Known bool
	// Name is empty if the claim names none, since there was no default one. Static: the claim asks for a
	// volume that somebody else makes.
	Name   string
	Static bool
	// Found, and then its Provisioner, and whether it waits for the first pod that uses the claim.
	Found       bool
	Provisioner string
	WaitsForPod bool
}

// ClaimRefusal is why a claim can't be made as it is declared.
type ClaimRefusal struct {
	// Reason is one of the StorageReady condition's.
	Reason string
	// Message says what to do.
	Message string
}

// ProblemKind is a class of Problem.
type ProblemKind string

// The kinds of problems, which are reasons of the Stalled condition too.
const (
	// ProblemConflict: a child's name is taken by an object that is not ours.
	ProblemConflict ProblemKind = "ChildConflict"
	// ProblemRejected: the API server refuses a child for what it says or where it lies; trying
	// again does not help until somebody changes something.
	ProblemRejected ProblemKind = "ChildRejected"
	// ProblemScaled: an autoscaler asks for more pods than the spec can have.
	ProblemScaled ProblemKind = "ScaledTooFar"
	// ProblemNotAllowed: the operator's administrator does not allow what the spec asks for.
	ProblemNotAllowed ProblemKind = "NotAllowed"
	// ProblemContested: somebody else writes a child too, and each undoes what the other wrote.
	ProblemContested ProblemKind = "ChildContested"
	// ProblemFailed: the API server failed; trying again may help.
	ProblemFailed ProblemKind = "ApplyFailed"
)

// Problem is what stood in the way of applying a child.
type Problem struct {
	Kind ProblemKind
	// Object is the child, as in "Service default/files".
	Object string
	// Message says what happened and what to do.
	Message string
}

// lasting reports whether only a change by somebody else can end the problem.
func (p Problem) lasting() bool { return p.Kind != ProblemFailed }

// list joins names for a message: all of a few, the first few of many.
func list(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// plural counts things for a message.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
