package status

// Stage is where a pod got stuck on its way to running.
type Stage int

// The stages, in the order in which a pod goes through them.
const (
	// StageScheduling: no node takes the pod.
	StageScheduling Stage = iota
	// StageImage: its image can't be had.
	StageImage
	// StageContainer: its container can't be made, or does not stay up.
	StageContainer
)

// Trouble is why a pod's daemon does not run. Its zero value is none.
type Trouble struct {
	Stage Stage
	// Reason is Kubernetes' own, as in Unschedulable or ImagePullBackOff: one for all states that a pod alternates
	// between, so that it is told of once.
	Reason string
	// Message says what is wrong, in Kubernetes' words.
	Message string
	// AwaitsStorage: the pod waits for its volume and nothing else, which StorageReady tells of.
	AwaitsStorage bool
}

// Reasons of pods' troubles, which become those of the Ready condition; others are passed on as they are.
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
