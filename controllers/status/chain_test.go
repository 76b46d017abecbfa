package status

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
)

// links returns the causes that keep a server from being ready, in the order of the chain.
func links() []struct {
	reason string
	apply  func(*Observed)
} {
	trouble := func(stage Stage, reason string) func(*Observed) {
		return func(o *Observed) {
			o.Pods = append(o.Pods, Pod{Name: "files-" + strings.ToLower(reason), Trouble: Trouble{Stage: stage, Reason: reason, Message: "words of Kubernetes"}})
		}
	}
	return []struct {
		reason string
		apply  func(*Observed)
	}{
		{"ChildRejected", func(o *Observed) {
			o.Problems = []Problem{{Kind: ProblemRejected, Object: "Service", Message: "quota"}}
		}},
		{"PasswordMissing", func(o *Observed) {
			o.Users.Problems = []UserProblem{{User: "bob", Missing: true, Message: "no Secret"}}
		}},
		{"CertificateMissing", func(o *Observed) {
			o.Certificates = Certificates{Declared: true, Problems: []CertificateProblem{{Secret: "tls", Reason: ReasonCertificateMissing, Message: "no Secret"}}}
		}},
		{"NodePortConflict", func(o *Observed) {
			o.Ports.Taken = []portrange.Conflict{{Field: "spec.service.nodePort", Holder: "Service shop/web"}}
		}},
		{"ClaimMissing", func(o *Observed) { o.Storage = Storage{Claim: "data"} }},
		{"FailedCreate", func(o *Observed) {
			o.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: "ReplicaFailure", Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "exceeded quota"}}
		}},
		{"Unschedulable", trouble(StageScheduling, "Unschedulable")},
		{"ImagePullBackOff", trouble(StageImage, "ImagePullBackOff")},
		{"NoNodeAddress", func(o *Observed) { o.Address = address.Result{Reason: address.ReasonNoNodeAddress, Message: "no node"} }},
		{"NoFreePorts", func(o *Observed) { o.Plan.Waiting = []string{"files-b"} }},
		{"CrashLoopBackOff", trouble(StageContainer, "CrashLoopBackOff")},
	}
}

// TestReadyNamesTheFirstCause: of several causes, Ready names the first in the chain; once that is fixed, it names
// the next.
func TestReadyNamesTheFirstCause(t *testing.T) {
	all := links()
	for i := range all {
		o := healthy()
		for _, l := range all[i:] {
			l.apply(&o)
		}
		o.Deployment.Status.AvailableReplicas = 0
		if got := get(Compute(o, noon), "Ready"); got.Reason != all[i].reason {
			t.Errorf("with the links from %s on, Ready says %s: %s", all[i].reason, got.Reason, got.Message)
		}
	}
}

// TestReadyTellsCausesAtOnce: each single cause is reported in the pass that finds it, with one Warning; if others
// may still create what is missing, the Warning is delayed.
func TestReadyTellsCausesAtOnce(t *testing.T) {
	for _, l := range links() {
		o := healthy(l.apply)
		o.Deployment.Status.AvailableReplicas = 0
		s := Compute(o, noon)
		if got := get(s, "Ready"); got.Reason != l.reason || got.Message == "" {
			t.Errorf("%s alone: Ready says %s: %s", l.reason, got.Reason, got.Message)
		}
		told := 0
		for _, e := range Events(v1alpha1.FtpServerStatus{}, s) {
			if e.Warning && e.Reason == l.reason {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s alone: %d events", l.reason, told)
		}
	}
}

// TestReadyTellsTroubleBeforeWaiting: a cause that only takes time does not hide a problem later in the chain.
func TestReadyTellsTroubleBeforeWaiting(t *testing.T) {
	o := healthy(func(o *Observed) {
		o.Address = address.Result{Reason: address.ReasonLoadBalancerPending, Message: "waiting"}
		o.Deployment.Status.AvailableReplicas = 0
	})
	if got := get(Compute(o, noon), "Ready").Reason; got != "LoadBalancerPending" {
		t.Errorf("Ready says %s", got)
	}
	o.Pods[0].Trouble = Trouble{Stage: StageContainer, Reason: "CreateContainerConfigError", Message: "secret not found"}
	if got := get(Compute(o, noon), "Ready"); got.Reason != "CreateContainerConfigError" || !strings.Contains(got.Message, "pod files-a: secret not found") {
		t.Errorf("Ready says %s: %s", got.Reason, got.Message)
	}
}

// TestPodsThatWaitForTheirVolume: Ready names the storage as the cause, and a healthy start gives no event about it.
func TestPodsThatWaitForTheirVolume(t *testing.T) {
	o := healthy(func(o *Observed) {
		o.Storage = Storage{Claim: "data", Ours: true, Found: true, Phase: "Pending"}
		o.Pods[0] = Pod{Name: "files-a", Trouble: Trouble{Reason: ReasonUnschedulable, Message: "pod has unbound immediate PersistentVolumeClaims", AwaitsStorage: true}}
	})
	s := Compute(o, noon)
	if got := get(s, "Ready").Reason; got != "ClaimPending" {
		t.Errorf("Ready says %s", got)
	}
	if events := Events(v1alpha1.FtpServerStatus{}, s); len(events) > 0 {
		t.Errorf("events %+v", events)
	}
}

// TestNoLoadBalancerIsToldAfterAWhile: a missing load balancer is reported three minutes after the first pass, with
// the class that no controller handles.
func TestNoLoadBalancerIsToldAfterAWhile(t *testing.T) {
	o := healthy(func(o *Observed) {
		o.Address = address.Result{Reason: address.ReasonLoadBalancerPending, Message: "waiting"}
		o.LoadBalancer = loadbalancer.Input{Class: "example.com/none"}
	})
	at := func(after time.Duration) metav1.Condition {
		before := o.Server.Status
		o.Server = o.Server.DeepCopy()
		o.Server.Status = Compute(o, metav1.NewTime(noon.Add(after)))
		c := get(o.Server.Status, "AddressResolved")
		if warned := len(Events(before, o.Server.Status)) > 0; warned != (c.Reason == ReasonNoLoadBalancer && get(before, "AddressResolved").Reason != c.Reason) {
			t.Errorf("after %s: %s, and an event: %v", after, c.Reason, warned)
		}
		return c
	}
	for _, after := range []time.Duration{0, time.Minute, 179 * time.Second} {
		if got := at(after); got.Reason != "LoadBalancerPending" {
			t.Errorf("after %s: %s", after, got.Reason)
		}
	}
	for _, after := range []time.Duration{3 * time.Minute, 4 * time.Minute} {
		got := at(after)
		if got.Reason != "NoLoadBalancer" || !strings.Contains(got.Message, "loadBalancerClass example.com/none") {
			t.Errorf("after %s: %s: %s", after, got.Reason, got.Message)
		}
		if ready := get(o.Server.Status, "Ready"); ready.Reason != "NoLoadBalancer" {
			t.Errorf("after %s: Ready says %s", after, ready.Reason)
		}
	}
}

// TestSharedAddressConflictIsTheCauseOfNoAddress: the conflict, not the missing address, is the cause, and it stalls
// the server.
func TestSharedAddressConflictIsTheCauseOfNoAddress(t *testing.T) {
	o := healthy(func(o *Observed) {
		o.Address = address.Result{Reason: address.ReasonLoadBalancerPending, Message: "waiting"}
		o.Ports.Shared = []portrange.Conflict{{Field: "spec.passive.portRange", Holder: "FtpServer team-a/files"}}
	})
	s := Compute(o, noon)
	if got := get(s, "Stalled"); got.Reason != "SharedAddressConflict" {
		t.Errorf("Stalled is %s (%s)", got.Status, got.Reason)
	}
}

// TestTrueMeansWell: whatever is observed, a condition that is True (except Stalled) has no reason that names a
// problem, and gives no Warning.
func TestTrueMeansWell(t *testing.T) {
	well := map[string]bool{
		"Ready": true, "PodsReady": true, "UsersReady": true, "CertificateValid": true, "TLSDisabled": true, "ClaimBound": true, "Ephemeral": true,
		"AddressResolved": true, "OnlyIPv6": true, "PortsExposed": true, "PortsAssigned": true, "ConfigLoaded": true, "WithinLimits": true,
		"WholeRangeForwarded": true, "ManyNodePorts": true, "AnyNetwork": true, "NetworksEnforced": true, "CRDCurrent": true, "AsDeclared": true,
	}
	changes := []func(*Observed){
		func(*Observed) {},
		func(o *Observed) { o.Ports.Shared = []portrange.Conflict{{Field: "spec.service.port", Holder: "x"}} },
		func(o *Observed) {
			o.Address.Reason, o.Address.Message = address.ReasonLoadBalancerPortError, "port 30000"
		},
		func(o *Observed) { o.Pods[0].Daemon.AddressError = "no answer" },
		func(o *Observed) { o.Users = Users{} },
		func(o *Observed) { o.ClientNetworks = ClientNetworks{Ranges: true, NodePorts: true} },
		func(o *Observed) { *o = withTLS(77*24*time.Hour, 13*24*time.Hour) },
		func(o *Observed) {
			*o = withTLS(24*time.Hour, 60*24*time.Hour)
			o.Certificates.Uncovered = []string{"other.example.com"}
		},
	}
	for _, l := range links() {
		changes = append(changes, l.apply)
	}
	for i, change := range changes {
		for _, c := range Compute(healthy(change), noon).Conditions {
			if c.Status != metav1.ConditionTrue || c.Type == "Stalled" || c.Type == "Reconciling" {
				continue
			}
			if !well[c.Reason] {
				t.Errorf("change %d: %s is True with reason %s", i, c.Type, c.Reason)
			}
		}
	}
}

// TestReadyComesFirst: conditions are in the order that kubectl describe shows, later passes keep it, and conditions
// of other controllers come last.
func TestReadyComesFirst(t *testing.T) {
	o := healthy(func(o *Observed) {
		o.Problems = []Problem{{Kind: ProblemConflict}}
		o.Server.Status.Conditions = []metav1.Condition{{Type: "Theirs"}, {Type: "Available"}}
	})
	for range 2 {
		o.Server.Status = Compute(o, noon)
		var kinds []string
		for _, c := range o.Server.Status.Conditions {
			kinds = append(kinds, c.Type)
		}
		if text := strings.Join(kinds, " "); !strings.HasPrefix(text, "Ready Stalled Suspended Available UsersReady") || !strings.HasSuffix(text, " Theirs") {
			t.Errorf("conditions %s", text)
		}
	}
}

// TestUsersSummary: the summary is the number of ready users of the declared ones.
func TestUsersSummary(t *testing.T) {
	o := healthy(func(o *Observed) {
		o.Server.Spec.Users = []v1alpha1.User{{Name: "alice"}, {Name: "bob"}}
		o.Users.Problems = []UserProblem{{User: "bob", Missing: true}}
	})
	if got := Compute(o, noon).UsersSummary; got != "1/2" {
		t.Errorf("usersSummary is %q", got)
	}
}
