package status

// Stage is the point at which a pod got stuck on its way to running.
type Stage int

// These are the stages, in the order in which a pod passes them.
const (
	// StageScheduling means that no node accepts the pod.
	StageScheduling Stage = iota
	// StageImage means that the pod's image can't be pulled.
	StageImage
	// StageContainer means that the pod's container can't be created or does not stay up.
	StageContainer
)

// Trouble is why a pod's daemon does not run. The zero value means no trouble.
type Trouble struct {
	Stage Stage
	// Reason is the reason that Kubernetes gives, such as Unschedulable or ImagePullBackOff. States between which a
	// pod alternates have one reason, so that they are reported once.
	Reason string
	// Message says what is wrong, in the words of Kubernetes.
	Message string
	// AwaitsStorage is true if the pod only waits for its volume, which StorageReady reports.
	AwaitsStorage bool
}

// These are the reasons of pods' troubles, which become reasons of the Ready condition; other reasons are passed on
// unchanged.
const (
	ReasonUnschedulable     = "Unschedulable"
	ReasonImagePullBackOff  = "ImagePullBackOff"
	ReasonInvalidImageName  = "InvalidImageName"
	ReasonCrashLoopBackOff  = "CrashLoopBackOff"
	ReasonContainerCreating = "ContainerCreating"
)

func (t Trouble) String() string {
	if t.Message == "" {
		return t.Reason
	}
	return t.Reason + ": " + t.Message
}
