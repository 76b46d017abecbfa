package children

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	testclock "k8s.io/utils/clock/testing"
)

func TestWriteTracker(t *testing.T) {
	f := NewWriteTracker(testclock.NewFakePassiveClock(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)))
	pod := func(version string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "p", ResourceVersion: version}}
	}
	if f.Stale("Pod", pod("5")) {
		t.Error("stale though never written")
	}
	f.Wrote("Pod", pod("100"))
	for _, step := range []struct {
		version string
		stale   bool
	}{{"99", true}, {"5", true}, {"101", true}, {"not-a-number", true}, {"100", false}, {"5", false} /* caught up: nothing is remembered */} {
		if got := f.Stale("Pod", pod(step.version)); got != step.stale {
			t.Errorf("version %s: stale is %v", step.version, got)
		}
	}
	// The order of versions does not count: another client wrote after us, or a backup was restored.
	f.Wrote("Pod", pod("100"))
	for _, answered := range []string{"300", "7"} {
		if !f.Stale("Pod", pod("200")) {
			t.Error("another version than was written or read is fresh")
		}
		f.Read("Pod", pod(answered))
	}
	if f.Stale("Pod", pod("7")) || f.Stale("Pod", pod("200")) {
		t.Error("stale though the cache came to what was read")
	}
	f.Read("Pod", pod("8"))
	if f.Stale("Pod", pod("9")) {
		t.Error("a read alone is remembered")
	}
	f.Wrote("Pod", pod("100"))
	if f.Stale("Service", pod("5")) {
		t.Error("another kind is stale")
	}
	f.Forget("Pod", types.NamespacedName{Namespace: "a", Name: "p"})
	if f.Stale("Pod", pod("5")) {
		t.Error("stale though forgotten")
	}
}
