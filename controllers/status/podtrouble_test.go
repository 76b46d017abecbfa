package status

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestTroubleIsSteady: the states between which a kubelet alternates are one trouble with one message, so that it is
// reported once; a container that restarted long ago has none.
func TestTroubleIsSteady(t *testing.T) {
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	end := &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled", FinishedAt: metav1.NewTime(now.Add(-time.Minute))}
	waits := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "back-off 40s restarting"}}
	}
	of := func(s corev1.ContainerStatus, at time.Time) Trouble {
		s.Name = "ftpd"
		return TroubleOf(&corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{s}}}, at)
	}
	first := of(corev1.ContainerStatus{State: corev1.ContainerState{Terminated: end}}, now)
	if first.Reason != "CrashLoopBackOff" || first.Message != "its container ended with exit code 137 (OOMKilled)" {
		t.Errorf("first %+v", first)
	}
	last := corev1.ContainerState{Terminated: end}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	for name, s := range map[string]corev1.ContainerStatus{
		"waits":      {State: waits("CrashLoopBackOff"), LastTerminationState: last, RestartCount: 1},
		"runs again": {State: running, LastTerminationState: last, RestartCount: 1},
		"ends again": {State: last, LastTerminationState: last, RestartCount: 2},
	} {
		if got := of(s, now); got != first {
			t.Errorf("%s: %+v, want %+v", name, got, first)
		}
	}
	for name, s := range map[string]corev1.ContainerStatus{
		"ready": {State: running, LastTerminationState: last, RestartCount: 1, Ready: true},
		"new":   {State: running},
	} {
		if got := of(s, now); got != (Trouble{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := of(corev1.ContainerStatus{State: running, LastTerminationState: last, RestartCount: 1}, now.Add(10*time.Minute)); got != (Trouble{}) {
		t.Errorf("up again for long: %+v", got)
	}
	if a, b := of(corev1.ContainerStatus{State: waits("ErrImagePull")}, now), of(corev1.ContainerStatus{State: waits("ImagePullBackOff")}, now); a != b || a.Stage != StageImage {
		t.Errorf("an image is told as %+v and %+v", a, b)
	}
}
