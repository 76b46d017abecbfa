package status

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

const (
	// creatingPatience is the time that a container may take to be created, including its volumes and network.
	creatingPatience = 2 * time.Minute
	// crashMemory is the time for which a container that was restarted counts as crashing, unless it becomes ready.
	// The kubelet resets its back-off after the same time.
	crashMemory = 10 * time.Minute
)

// TroubleOf returns why a pod's daemon does not run; the zero value while the pod is starting normally.
func TroubleOf(p *corev1.Pod, now time.Time) Trouble {
	scheduled := now
	for i := range p.Status.Conditions {
		c := &p.Status.Conditions[i]
		if c.Type != corev1.PodScheduled {
			continue
		}
		if c.Status == corev1.ConditionFalse {
			return Trouble{
				Stage: StageScheduling, Reason: c.Reason, Message: c.Message,
				AwaitsStorage: strings.Contains(c.Message, "unbound immediate PersistentVolumeClaims"),
			}
		}
		scheduled = c.LastTransitionTime.Time
	}
	d := DaemonContainer(p)
	if d == nil {
		return Trouble{}
	}
	switch w := d.State.Waiting; {
	case w == nil:
	case w.Reason == ReasonContainerCreating || w.Reason == "PodInitializing":
		if now.Sub(scheduled) < creatingPatience {
			return Trouble{}
		}
		return Trouble{Stage: StageContainer, Reason: ReasonContainerCreating, Message: fmt.Sprintf(
			"its container has not started for more than %.0f minutes, as when a volume can't be mounted: `kubectl describe pod -n %s %s` shows why",
			creatingPatience.Minutes(), p.Namespace, p.Name)}
	case w.Reason == ReasonCrashLoopBackOff:
		return crashing(d)
	default:
		return waiting(w)
	}
	switch {
	case d.State.Terminated != nil && (d.State.Terminated.ExitCode != 0 || d.RestartCount > 0):
		return crashing(d)
	case d.State.Running != nil && !d.Ready && d.RestartCount > 0 && d.LastTerminationState.Terminated != nil &&
		d.LastTerminationState.Terminated.ExitCode != 0 && now.Sub(d.LastTerminationState.Terminated.FinishedAt.Time) < crashMemory:
		return crashing(d)
	}
	return Trouble{}
}

// waiting returns the trouble of a container that can't be started.
func waiting(w *corev1.ContainerStateWaiting) Trouble {
	t := Trouble{Stage: StageContainer, Reason: w.Reason, Message: w.Message}
	switch w.Reason {
	case "ErrImagePull", ReasonImagePullBackOff: // the kubelet alternates between the two
		t.Stage, t.Reason = StageImage, ReasonImagePullBackOff
	case ReasonInvalidImageName, "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		t.Stage = StageImage
	}
	return t
}

// crashing returns the trouble of a container that has ended and is about to be restarted, or has been. The message
// is the same in all these states.
func crashing(d *corev1.ContainerStatus) Trouble {
	t := Trouble{Stage: StageContainer, Reason: ReasonCrashLoopBackOff}
	end := d.State.Terminated
	if end == nil {
		end = d.LastTerminationState.Terminated
	}
	if end == nil {
		t.Message = d.State.Waiting.Message
		return t
	}
	t.Message = fmt.Sprintf("its container ended with exit code %d", end.ExitCode)
	if end.Reason != "" {
		t.Message += " (" + end.Reason + ")"
	}
	if end.Message != "" {
		t.Message += ": " + strings.TrimSpace(end.Message)
	}
	return t
}

// DaemonContainer returns the state of the daemon's container; nil before there is one.
func DaemonContainer(p *corev1.Pod) *corev1.ContainerStatus {
	for i := range p.Status.ContainerStatuses {
		if p.Status.ContainerStatuses[i].Name == resources.ContainerName {
			return &p.Status.ContainerStatuses[i]
		}
	}
	return nil
}
