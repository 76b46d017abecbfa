package status

import (
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// waited reports whether `kubectl wait --for=condition=Ready` ends: the condition is True for the server's present
// generation.
func waited(server *v1alpha1.FtpServer, s v1alpha1.FtpServerStatus) bool {
	c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration >= server.Generation
}

// TestWaitersAreToldTheTruth: in every state of a server, `kubectl wait` ends, and `helm --wait` and GitOps tools
// (kstatus) report Current, if and only if everything that is declared is in place and is served. They report Failed
// only if waiting can't help.
func TestWaitersAreToldTheTruth(t *testing.T) {
	deployment := func(change func(*appsv1.Deployment)) func(*Observed) {
		return func(o *Observed) { change(o.Deployment) }
	}
	pod := func(change func(*Pod)) func(*Observed) { return func(o *Observed) { change(&o.Pods[0]) } }
	noAddress := func(reason string) func(*Observed) {
		return func(o *Observed) { o.Address = address.Result{Reason: reason, Message: "none yet"} }
	}
	for name, tt := range map[string]struct {
		change func(*Observed)
		want   status.Status
	}{
		"serving": {func(*Observed) {}, status.CurrentStatus},
		"serving for an autoscaler at the Deployment": {func(o *Observed) { o.ScaledBy = "kube-controller-manager" }, status.CurrentStatus},
		"serving while an old pod drains": {func(o *Observed) {
			o.Pods = append(o.Pods, Pod{Name: "files-0", Terminating: true, Running: true, Ports: config.PortSet{29999}})
		}, status.CurrentStatus},
		"scaled to zero": {func(o *Observed) {
			o.Replicas, o.Pods, o.Deployment.Status = 0, nil, appsv1.DeploymentStatus{ObservedGeneration: 3}
		}, status.CurrentStatus},

		"waiting for the load balancer": {noAddress(address.ReasonLoadBalancerPending), status.InProgressStatus},
		"waiting for the cluster IP":    {noAddress("ClusterIPPending"), status.InProgressStatus},
		"address not advertised yet":    {pod(func(p *Pod) { p.Daemon.AdvertisedIP = "203.0.113.9" }), status.InProgressStatus},
		"host name not resolved":        {pod(func(p *Pod) { p.Daemon.AdvertisedIP, p.Daemon.AddressError = "", "no such host" }), status.InProgressStatus},

		"first pods being made":              {func(o *Observed) { o.Pods, o.Deployment.Status = nil, appsv1.DeploymentStatus{ObservedGeneration: 3} }, status.InProgressStatus},
		"no Deployment yet":                  {func(o *Observed) { o.Deployment = nil }, status.InProgressStatus},
		"template applied, not yet observed": {deployment(func(d *appsv1.Deployment) { d.Generation++ }), status.InProgressStatus},
		"rollout: new pod not ready":         {deployment(func(d *appsv1.Deployment) { d.Status.Replicas, d.Status.UpdatedReplicas = 2, 1 }), status.InProgressStatus},
		"rollout: no new pod yet":            {deployment(func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 0 }), status.InProgressStatus},
		"rollout stuck": {deployment(func(d *appsv1.Deployment) {
			d.Status.UpdatedReplicas = 0
			d.Status.Conditions = []appsv1.DeploymentCondition{{Type: "Progressing", Status: corev1.ConditionFalse, Reason: reasonDeadline}}
		}), status.FailedStatus},
		"scaling up: applied, not yet observed": {func(o *Observed) { o.Replicas, o.Deployment.Generation = 3, 4 }, status.InProgressStatus},
		"scaling up: two of three":              {func(o *Observed) { o.Replicas = 3; o.Deployment.Status.AvailableReplicas = 2 }, status.InProgressStatus},
		"scaling up: not all available": {func(o *Observed) {
			o.Replicas = 3
			o.Deployment.Status = appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 2}
		}, status.InProgressStatus},
		"scaling down": {deployment(func(d *appsv1.Deployment) {
			d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.AvailableReplicas = 3, 3, 3
		}), status.InProgressStatus},
		"pod pending": {func(o *Observed) {
			o.Deployment.Status.AvailableReplicas = 0
			o.Pods[0] = Pod{Name: "files-a", Ports: o.Pods[0].Ports, Trouble: Trouble{Reason: "Unschedulable", Message: "0/2 nodes are available"}}
		}, status.InProgressStatus},
		"pod gone, another being made": {func(o *Observed) { o.Pods, o.Deployment.Status.AvailableReplicas = nil, 0 }, status.InProgressStatus},

		"ports exhausted":            {func(o *Observed) { o.Plan.Waiting = []string{"files-b"} }, status.InProgressStatus},
		"ports on their way":         {pod(func(p *Pod) { p.Ports = nil }), status.InProgressStatus},
		"range changing":             {func(o *Observed) { o.Plan.Outdated = []string{"files-a"} }, status.InProgressStatus},
		"scaled beyond what it says": {func(o *Observed) { o.Problems = []Problem{{Kind: ProblemScaled}} }, status.FailedStatus},

		"certificate missing": {func(o *Observed) {
			o.Certificates = Certificates{Declared: true, Problems: []CertificateProblem{{Secret: "tls", Reason: ReasonCertificateMissing}}}
		}, status.InProgressStatus},
		"certificate unusable": {func(o *Observed) {
			o.Certificates = Certificates{Declared: true, Problems: []CertificateProblem{{Secret: "tls", Reason: ReasonCertificateInvalid}}}
		}, status.FailedStatus},
		"password missing":               {func(o *Observed) { o.Users.Problems = []UserProblem{{User: "bob", Missing: true}} }, status.InProgressStatus},
		"claim missing":                  {func(o *Observed) { o.Storage = Storage{Claim: "data"} }, status.InProgressStatus},
		"claim not bound":                {func(o *Observed) { o.Storage = Storage{Claim: "data", Found: true, Phase: "Pending"} }, status.InProgressStatus},
		"configuration on its way":       {pod(func(p *Pod) { p.Daemon.ConfigHash = "old" }), status.InProgressStatus},
		"configuration refused":          {pod(func(p *Pod) { p.Daemon.ConfigHash, p.Daemon.RejectedHash = "old", "new" }), status.FailedStatus},
		"a child's name taken":           {func(o *Observed) { o.Problems = []Problem{{Kind: ProblemConflict}} }, status.FailedStatus},
		"a child refused":                {func(o *Observed) { o.Problems = []Problem{{Kind: ProblemRejected}} }, status.FailedStatus},
		"a child not written, this time": {func(o *Observed) { o.Problems = []Problem{{Kind: ProblemFailed}} }, status.InProgressStatus},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy(tt.change)
			tell(t, o.Server, Compute(o, noon), tt.want)

			// The same if all was well before: nothing of that state may remain.
			o.Server = o.Server.DeepCopy()
			o.Server.Status = Compute(healthy(), noon)
			tell(t, o.Server, Compute(o, noon), tt.want)
		})
	}
}

func tell(t *testing.T, server *v1alpha1.FtpServer, s v1alpha1.FtpServerStatus, want status.Status) {
	t.Helper()
	if got := judge(t, server, s); got != want {
		t.Errorf("kstatus calls it %s, want %s: %+v", got, want, get(s, "Ready"))
	}
	if got := waited(server, s); got != (want == status.CurrentStatus) {
		t.Errorf("kubectl wait ends: %v: %+v", got, get(s, "Ready"))
	}
}

// TestWaitersAreToldTheTruthOfStaleStatus: the same for a status that is not about the present spec, whichever
// controller wrote it.
func TestWaitersAreToldTheTruthOfStaleStatus(t *testing.T) {
	serving := func() *v1alpha1.FtpServer {
		o := healthy()
		o.Server.Status = Compute(o, noon)
		return o.Server
	}
	for name, change := range map[string]func(*v1alpha1.FtpServer){
		"just made: what the CRD's default says": func(s *v1alpha1.FtpServer) {
			s.Generation, s.Status = 1, v1alpha1.FtpServerStatus{ObservedGeneration: -1}
		},
		"the spec changed while the operator was away": func(s *v1alpha1.FtpServer) { s.Generation++ },
		"suspended from the beginning": func(s *v1alpha1.FtpServer) {
			s.Status = Suspended(&v1alpha1.FtpServer{ObjectMeta: s.ObjectMeta, Status: v1alpha1.FtpServerStatus{ObservedGeneration: -1}}, noon)
		},
		"suspended while it served": func(s *v1alpha1.FtpServer) {
			s.Generation++
			s.Status = Suspended(s, noon)
		},
		"the API server fails": func(s *v1alpha1.FtpServer) { s.Status = Failed(s, "500", noon) },
		"the API server fails after a change": func(s *v1alpha1.FtpServer) {
			s.Generation++
			s.Status = Failed(s, "500", noon)
		},
		"ports recorded, no more done yet": func(s *v1alpha1.FtpServer) {
			s.Status = v1alpha1.FtpServerStatus{ObservedGeneration: -1, Pods: []v1alpha1.PodStatus{{Name: "files-a"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := serving()
			change(server)
			tell(t, server, server.Status, status.InProgressStatus)
		})
	}
	server := serving()
	tell(t, server, server.Status, status.CurrentStatus)
}
