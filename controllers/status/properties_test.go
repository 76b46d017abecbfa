package status

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// For every observation: Ready is False exactly if Reconciling or Stalled is present, these two are never both
// present, the same observation twice changes nothing, and no event is sent without a change.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := healthy()
		flag := rapid.Bool()
		if flag.Draw(t, "noDeployment") {
			o.Deployment = nil
		} else {
			o.Deployment.Status.AvailableReplicas = rapid.Int32Range(0, 2).Draw(t, "available")
			o.Deployment.Status.Replicas = rapid.Int32Range(0, 2).Draw(t, "replicas")
			if flag.Draw(t, "stuck") {
				o.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: "Progressing", Status: corev1.ConditionFalse, Reason: reasonDeadline}}
			}
		}
		if flag.Draw(t, "noAddress") {
			o.Address = address.Result{Reason: address.ReasonLoadBalancerPending}
		}
		if flag.Draw(t, "problem") {
			kind := rapid.SampledFrom([]ProblemKind{ProblemConflict, ProblemRejected, ProblemFailed}).Draw(t, "kind")
			o.Problems = []Problem{{Kind: kind}}
		}
		if flag.Draw(t, "userProblem") {
			o.Users.Problems = []UserProblem{{Missing: flag.Draw(t, "missing")}}
		}
		if flag.Draw(t, "waiting") {
			o.Plan.Waiting = []string{"p"}
		}
		if flag.Draw(t, "rejected") {
			o.Pods[0].Daemon = &config.Status{RejectedHash: "new", AdvertisedIP: "203.0.113.10"}
		}
		first := Compute(o, noon)
		isReady := get(first, "Ready").Status == metav1.ConditionTrue
		working, stuck := get(first, "Reconciling").Status == metav1.ConditionTrue, get(first, "Stalled").Status == metav1.ConditionTrue
		if working && stuck || isReady == (working || stuck) {
			t.Fatalf("Ready %v, Reconciling %v, Stalled %v", isReady, working, stuck)
		}
		want := map[bool]status.Status{true: status.CurrentStatus, false: status.InProgressStatus}[isReady]
		if stuck {
			want = status.FailedStatus
		}
		if got := judge(t, o.Server, first); got != want {
			t.Fatalf("kstatus calls it %s, want %s", got, want)
		}
		for _, c := range first.Conditions {
			if c.Reason == "" || c.ObservedGeneration != 7 || !Ours(c.Type) {
				t.Fatalf("condition %+v", c)
			}
		}
		o.Server = o.Server.DeepCopy()
		o.Server.Status = first
		second := Compute(o, metav1.NewTime(noon.Add(time.Minute)))
		if events := Events(first, second); len(events) > 0 {
			t.Fatalf("events for nothing: %v", events)
		}
		a, errA := json.Marshal(first)
		b, errB := json.Marshal(second)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Fatalf("the same observation gives\n%s and then\n%s", a, b)
		}
	})
}
