package status

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

var noon = metav1.NewTime(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))

// healthy returns a server without problems, as modified by change.
func healthy(change ...func(*Observed)) Observed {
	ports := config.PortRange(30000, 30009)
	o := Observed{
		Server: &v1alpha1.FtpServer{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "files", Generation: 7},
			Spec:       v1alpha1.FtpServerSpec{Replicas: ptr.To[int32](1), Passive: v1alpha1.PassiveSpec{PortRange: v1alpha1.PortRange{Start: 30000, End: 30009}}},
		},
		Replicas: 1,
		Deployment: &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Generation: 3},
			Status:     appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1},
		},
		Pods: []Pod{{
			Name: "files-a", Node: "n", Ports: ports, Running: true, Ready: true,
			Daemon: &config.Status{ConfigHash: "new", AdvertisedIP: "203.0.113.10"},
		}},
		Plan:           portplan.Plan{Exposed: ports},
		Ports:          Ports{Carried: ports},
		Address:        address.Result{Address: "203.0.113.10", Source: v1alpha1.AddressFromLoadBalancerIP},
		DataPeer:       DataPeer{Check: v1alpha1.DataPeerStrict, Reason: "as it is"},
		Port:           21,
		Users:          Users{Ready: []string{"alice"}},
		ConfigHash:     "new",
		SelectorLabels: map[string]string{v1alpha1.ServerLabel: "files"},
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

func get(s v1alpha1.FtpServerStatus, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(s.Conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{Type: kind, Status: "absent"}
}

// judge returns the result that kubectl, helm and GitOps tools derive from the status.
func judge(t interface{ Fatal(...any) }, server *v1alpha1.FtpServer, s v1alpha1.FtpServerStatus) status.Status {
	server = server.DeepCopy()
	server.Status = s
	server.APIVersion, server.Kind = v1alpha1.GroupVersion.String(), "FtpServer"
	text, err := json.Marshal(server)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(u)
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}

func TestConditions(t *testing.T) {
	const (
		yes, no, unknown = metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown
		absent           = metav1.ConditionStatus("absent")
	)
	pod := func(change func(*Pod)) func(*Observed) { return func(o *Observed) { change(&o.Pods[0]) } }
	tests := []struct {
		name      string
		change    func(*Observed)
		condition string
		status    metav1.ConditionStatus
		reason    string
		message   string // part of the message
		ready     metav1.ConditionStatus
		judged    status.Status
	}{
		{"all is well", func(*Observed) {}, "Ready", yes, "Ready", "port 21 of 203.0.113.10", yes, status.CurrentStatus},
		{"scaled to zero", func(o *Observed) {
			o.Replicas, o.Pods = 0, nil
			o.Deployment.Status = appsv1.DeploymentStatus{ObservedGeneration: 3}
		}, "Available", no, "ScaledToZero", "spec.replicas is 0", yes, status.CurrentStatus},
		{"draining pods hold nothing up", func(o *Observed) {
			o.Pods = append(o.Pods, Pod{Name: "files-0", Terminating: true, Running: true, Ports: config.PortSet{29000}, Daemon: &config.Status{ConfigHash: "old"}})
			o.Plan.Exposed = append(config.PortSet{29000}, o.Plan.Exposed...)
			o.Ports.Carried = o.Plan.Exposed
		}, "ConfigLoaded", yes, "ConfigLoaded", "1 pod", yes, status.CurrentStatus},

		{"too many ports for the load balancer hold nothing up", func(o *Observed) {
			o.LoadBalancer = loadbalancer.Input{Type: "LoadBalancer", Class: "service.k8s.aws/nlb", ControlPorts: 1, PassivePorts: 64, DeclaredPorts: 64}
		}, "PortsWithinLimits", no, "TooManyListeners", "to 49 ports or fewer", yes, status.CurrentStatus},
		{"no known limit", func(o *Observed) {
			o.LoadBalancer = loadbalancer.Input{Type: "ClusterIP", ControlPorts: 1, PassivePorts: 10, DeclaredPorts: 10}
		}, "PortsWithinLimits", yes, "WithinLimits", "by 11 ports", yes, status.CurrentStatus},

		{"clients from anywhere", func(*Observed) {}, "ClientNetworksEnforced", yes, "AnyNetwork", "anywhere", yes, status.CurrentStatus},
		{"allowed networks", func(o *Observed) {
			o.ClientNetworks = ClientNetworks{Allowed: true, Real: true, Policy: true, NodePorts: true}
		},
			"ClientNetworksEnforced", yes, "NetworksEnforced", "the NetworkPolicy and the daemons", yes, status.CurrentStatus},
		{"allowed networks without a policy", func(o *Observed) { o.ClientNetworks = ClientNetworks{Allowed: true, Real: true} },
			"ClientNetworksEnforced", yes, "NetworksEnforced", "the daemons keep", yes, status.CurrentStatus},
		{"allowed networks behind a proxy", func(o *Observed) { o.ClientNetworks = ClientNetworks{Allowed: true, Proxied: true, Policy: true} },
			"ClientNetworksEnforced", yes, "NetworksEnforced", "PROXY protocol", yes, status.CurrentStatus},
		{"allowed networks behind what hides clients", func(o *Observed) { o.ClientNetworks = ClientNetworks{Allowed: true, Policy: true} },
			"ClientNetworksEnforced", no, "ClientsHidden", "shuts everybody out", yes, status.CurrentStatus},
		{"source ranges under Local", func(o *Observed) {
			o.ClientNetworks = ClientNetworks{Ranges: true, Real: true, Policy: true, NodePorts: true}
		},
			"ClientNetworksEnforced", yes, "NetworksEnforced", "loadBalancerSourceRanges", yes, status.CurrentStatus},
		{"source ranges under Cluster", func(o *Observed) { o.ClientNetworks = ClientNetworks{Ranges: true, Policy: true, NodePorts: true} },
			"ClientNetworksEnforced", no, "NodePortsOpen", "allocateLoadBalancerNodePorts to false", yes, status.CurrentStatus},
		{"source ranges without node ports", func(o *Observed) { o.ClientNetworks = ClientNetworks{Ranges: true, Policy: true} },
			"ClientNetworksEnforced", yes, "NetworksEnforced", "loadBalancerSourceRanges", yes, status.CurrentStatus},

		{"no Deployment yet", func(o *Observed) { o.Deployment = nil }, "Ready", no, "Progressing", "rolled out", no, status.InProgressStatus},
		{"Deployment not yet observed", func(o *Observed) { o.Deployment.Generation = 4 }, "Ready", no, "Progressing", "", no, status.InProgressStatus},
		{"rollout under way", func(o *Observed) { o.Deployment.Status.Replicas = 2 }, "Ready", no, "Progressing", "1 pod of the old template", no, status.InProgressStatus},
		{"image can't be pulled", func(o *Observed) {
			o.Deployment.Status.AvailableReplicas = 0
			o.Pods[0] = Pod{Name: "files-a", Ports: o.Pods[0].Ports, Trouble: Trouble{Stage: StageImage, Reason: "ImagePullBackOff", Message: "no such image"}}
		}, "Available", no, "NoPodReady", "pod files-a: ImagePullBackOff", no, status.InProgressStatus},
		{"rollout stuck", func(o *Observed) {
			o.Deployment.Status.AvailableReplicas = 0
			o.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: "Progressing", Status: "False", Reason: "ProgressDeadlineExceeded", Message: "timed out"}}
		}, "Stalled", yes, "ProgressDeadlineExceeded", "timed out", no, status.FailedStatus},
		{"pods refused by a quota", func(o *Observed) {
			o.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: "ReplicaFailure", Status: "True", Reason: "FailedCreate", Message: "exceeded quota"}}
		}, "Ready", no, "FailedCreate", "exceeded quota", no, status.InProgressStatus},

		{"load balancer pending", func(o *Observed) {
			o.Address = address.Result{Reason: address.ReasonLoadBalancerPending, Message: "waiting for the load balancer"}
		}, "AddressResolved", no, "LoadBalancerPending", "waiting", no, status.InProgressStatus},
		{"load balancer troubled but there", func(o *Observed) {
			o.Address.Reason, o.Address.Message = address.ReasonLoadBalancerPortError, "port 30000: full"
		}, "PassivePortsExposed", no, "LoadBalancerPortError", "port 30000", yes, status.CurrentStatus},
		{"address taken back", func(o *Observed) {
			o.Address.Lost, o.Address.Reason, o.Address.Message = true, address.ReasonAddressLost, "203.0.113.10 is advertised on"
		}, "AddressResolved", no, "AddressLost", "advertised on", no, status.InProgressStatus},
		{"host name not resolved again", pod(func(p *Pod) { p.Daemon.AddressError = "resolve lb: timeout" }), "AddressResolved", no, "HostNameNotRefreshed", "pod files-a: resolve lb: timeout", yes, status.CurrentStatus},
		{"IPv6 only", func(o *Observed) {
			o.Address.Address, o.Pods[0].Daemon.AdvertisedIP = "2001:db8::1", "2001:db8::1"
		}, "AddressResolved", yes, "OnlyIPv6", "425", yes, status.CurrentStatus},
		{"a host name with an IPv6 address only", func(o *Observed) {
			o.Address.Address, o.Pods[0].Daemon.AdvertisedIP = "lb.example.com", "2001:db8::1"
		}, "AddressResolved", yes, "OnlyIPv6", "lb.example.com", yes, status.CurrentStatus},
		{"address not yet advertised", pod(func(p *Pod) { p.Daemon.AdvertisedIP = "203.0.113.9" }), "AddressResolved", no, "AddressNotYetServed", "files-a", no, status.InProgressStatus},
		{"each pod at its own node", func(o *Observed) {
			o.Pods[0].Address = o.Address
			o.Pods = append(o.Pods, Pod{Name: "files-old", Terminating: true, Address: address.Result{Address: "203.0.113.7"}})
		}, "AddressResolved", yes, "AddressResolved", "each pod names the address of its own node", yes, status.CurrentStatus},
		{"a pod at another node than the first", func(o *Observed) {
			o.Pods[0].Address.Address, o.Pods[0].Daemon.AdvertisedIP = "203.0.113.7", "203.0.113.7"
		}, "AddressResolved", yes, "AddressResolved", "203.0.113.10", yes, status.CurrentStatus},
		{"a pod that names another node", pod(func(p *Pod) { p.Address.Address = "203.0.113.7" }),
			"AddressResolved", no, "AddressNotYetServed", "does not advertise 203.0.113.7 yet, the address of its node, by which alone it is reached (externalTrafficPolicy is Local), but 203.0.113.10", no, status.InProgressStatus},
		{"a pod that can't use its node's address", pod(func(p *Pod) {
			p.Address.Address, p.Daemon.PodAddressError = "203.0.113.7", `"203" is no IP address`
		}), "AddressResolved", no, "AddressNotYetServed", `but 203.0.113.10: "203" is no IP address`, no, status.InProgressStatus},
		{"a node without address", pod(func(p *Pod) {
			p.Address = address.Result{Reason: address.ReasonNoNodeAddress, Message: "node n has no IP address"}
		}), "AddressResolved", no, "NoNodeAddress", "pod files-a: node n has no IP address", no, status.InProgressStatus},
		{"a node that has lost its address", pod(func(p *Pod) {
			p.Address = address.Result{Address: "203.0.113.10", Lost: true, Reason: address.ReasonAddressLost, Message: "203.0.113.10 is advertised on"}
		}), "AddressResolved", no, "AddressLost", "pod files-a: 203.0.113.10 is advertised on", no, status.InProgressStatus},
		{"host name not resolved", pod(func(p *Pod) { p.Daemon.AdvertisedIP, p.Daemon.AddressError = "", "no such host" }), "AddressResolved", no, "HostNameNotResolved", "no such host", no, status.InProgressStatus},
		{"IPv4 in IPv6 clothes", pod(func(p *Pod) { p.Daemon.AdvertisedIP = "::ffff:203.0.113.10" }), "AddressResolved", yes, "AddressResolved", "", yes, status.CurrentStatus},

		{"node ports held by another server", func(o *Observed) {
			o.Ports.Taken = []portrange.Conflict{{Field: "spec.passive.portRange", Ports: config.PortRange(30000, 30009), Holder: "FtpServer team-a/files"}}
		}, "PassivePortsExposed", no, "NodePortConflict", "30000-30009 are held by FtpServer team-a/files: choose another passive.portRange, or passive.portCount", no, status.FailedStatus},
		{"the control node port held", func(o *Observed) {
			o.Ports.Taken = []portrange.Conflict{{Field: "spec.service.nodePort", Ports: config.PortSet{30021}, Holder: "Service shop/web"}}
		}, "PassivePortsExposed", no, "NodePortConflict", "30021 is held by Service shop/web: choose another service.nodePort, or leave it out", no, status.FailedStatus},
		{"no range to choose", func(o *Observed) {
			o.Ports.Missing = &MissingRange{Count: 100, Longest: 40, Within: config.Run{First: 30000, Last: 32767}}
		}, "PassivePortsExposed", no, "NoFreeRange", "no 100 ports that follow one another are free within 30000-32767 (the longest free run has 40): lower spec.passive.portCount", no, status.FailedStatus},
		{"the Service is behind", func(o *Observed) { o.Ports.Carried = config.PortRange(30000, 30007) }, "PassivePortsExposed", no, "ExposingPorts", "30008-30009", no, status.InProgressStatus},
		{"an address that can't be shared", func(o *Observed) {
			o.Ports.Shared = []portrange.Conflict{
				{Field: "spec.passive.portRange", Ports: config.PortRange(30000, 30009), Holder: "FtpServer team-a/files"},
				{Field: "spec.service.port", Ports: config.PortSet{21}, Holder: "FtpServer team-a/files"},
			}
		}, "PassivePortsExposed", no, "SharedAddressConflict", "30000-30009 are held by FtpServer team-a/files; 21 is held by FtpServer team-a/files: choose another passive.portRange, or passive.portCount; choose another service.port", yes, status.CurrentStatus},

		{"no free ports", func(o *Observed) { o.Plan.Waiting = []string{"files-b"} }, "PassivePortsAssigned", no, "NoFreePorts", "widen spec.passive.portRange", no, status.InProgressStatus},
		{"range changing", func(o *Observed) { o.Plan.Outdated = []string{"files-a"} }, "PassivePortsAssigned", no, "RangeChanging", "files-a", no, status.InProgressStatus},
		{"ports not yet assigned", pod(func(p *Pod) { p.Ports = nil }), "PassivePortsAssigned", no, "AssigningPorts", "files-a", no, status.InProgressStatus},
		{"ports held twice", func(o *Observed) {
			o.Plan.Conflicts = []portplan.Conflict{{Pod: "files-b", Keeper: "files-a", Ports: config.PortSet{30000}}}
		}, "PassivePortsAssigned", no, "PortConflict", "files-b", no, status.FailedStatus},

		{"password missing", func(o *Observed) {
			o.Users.Problems = []UserProblem{{User: "bob", Missing: true, Message: "user bob: no Secret"}, {User: "eve", Missing: true}}
		}, "UsersReady", no, "PasswordMissing", "no Secret; likewise left out: eve", no, status.InProgressStatus},
		{"password unusable", func(o *Observed) {
			o.Users.Problems = []UserProblem{{User: "bob", Message: "user bob: two lines"}}
		}, "UsersReady", no, "PasswordInvalid", "two lines", no, status.FailedStatus},
		{"being hashed", func(o *Observed) { o.Users.Hashing = []string{"bob", "eve"} }, "UsersReady", metav1.ConditionUnknown, "HashingPasswords",
			"1 user can log in; passwords being hashed: bob, eve", no, status.InProgressStatus},
		{"a Secret is being replaced", func(o *Observed) {
			o.Users.Replacing = []UserProblem{{User: "alice", Missing: true, Message: "the former password of user alice serves until 12:01:00Z"}, {User: "bob"}}
		}, "UsersReady", yes, "UsersReady", "alice serves until 12:01:00Z; likewise for 1 other user", yes, status.CurrentStatus},
		{"nobody declared", func(o *Observed) { o.Users = Users{} }, "UsersReady", no, "NoUsers", "nobody can log in", yes, status.CurrentStatus},
		{"anonymous only", func(o *Observed) { o.Users = Users{Anonymous: true} }, "UsersReady", yes, "UsersReady", "anonymous", yes, status.CurrentStatus},

		{"claim missing", func(o *Observed) { o.Storage = Storage{Claim: "data"} }, "StorageReady", no, "ClaimMissing", "data", no, status.InProgressStatus},
		{"claim pending", func(o *Observed) { o.Storage = Storage{Claim: "data", Found: true, Phase: "Pending"} }, "StorageReady", unknown, "ClaimPending", "first consumer", no, status.InProgressStatus},
		{"claim bound", func(o *Observed) { o.Storage = Storage{Claim: "data", Found: true, Phase: "Bound"} }, "StorageReady", yes, "ClaimBound", "", yes, status.CurrentStatus},
		{"claim lost", func(o *Observed) { o.Storage = Storage{Claim: "data", Found: true, Phase: "Lost"} }, "StorageReady", no, "ClaimLost", "restore", no, status.InProgressStatus},
		{"claim going", func(o *Observed) { o.Storage = Storage{Claim: "data", Found: true, Phase: "Bound", Terminating: true} }, "StorageReady", no, "ClaimTerminating", "deleted", no, status.InProgressStatus},

		{"configuration on its way", pod(func(p *Pod) { p.Daemon.ConfigHash = "old" }), "ConfigLoaded", no, "ConfigUpdating", "files-a", no, status.InProgressStatus},
		{"configuration refused", pod(func(p *Pod) {
			*p.Daemon = config.Status{ConfigHash: "old", RejectedHash: "new", ConfigError: "bad home", AdvertisedIP: "203.0.113.10"}
		}), "ConfigLoaded", no, "ConfigRejected", "bad home", no, status.FailedStatus},
		{"an older one refused", pod(func(p *Pod) { p.Daemon.ConfigHash, p.Daemon.RejectedHash = "old", "older" }), "ConfigLoaded", no, "ConfigUpdating", "", no, status.InProgressStatus},
		{"an older daemon ignores some of it", pod(func(p *Pod) { p.Daemon.Ignored = []string{"colour"} }), "ConfigLoaded", yes, "ConfigLoaded", "files-a runs an older daemon, which does not know and ignores colour", yes, status.CurrentStatus},
		{"pods that have not answered yet", pod(func(p *Pod) { p.Daemon, p.DaemonError, p.DaemonPending = nil, "i/o timeout", true }), "ConfigLoaded", no, "ConfigUpdating", "an answer of files-a", no, status.InProgressStatus},
		{"pods that do not answer now", pod(func(p *Pod) { p.DaemonError, p.DaemonPending = "i/o timeout", true }), "ConfigLoaded", yes, "ConfigLoaded", "", yes, status.CurrentStatus},
		{"pods out of reach", pod(func(p *Pod) { p.Daemon, p.DaemonError = nil, "i/o timeout" }), "ConfigLoaded", unknown, "PodsUnreachable", "i/o timeout", yes, status.CurrentStatus},

		{"name taken", func(o *Observed) {
			o.Problems = []Problem{{Kind: ProblemFailed, Object: "x", Message: "later"}, {Kind: ProblemConflict, Object: "Service default/files", Message: "exists"}}
		}, "Stalled", yes, "ChildConflict", "Service default/files: exists", no, status.FailedStatus},
		{"refused", func(o *Observed) {
			o.Problems = []Problem{{Kind: ProblemRejected, Object: "Service", Message: "quota"}}
		}, "Stalled", yes, "ChildRejected", "quota", no, status.FailedStatus},
		{"failed", func(o *Observed) { o.Problems = []Problem{{Kind: ProblemFailed, Object: "Service", Message: "again"}} }, "Stalled", absent, "", "", no, status.InProgressStatus},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := healthy(tt.change)
			s := Compute(o, noon)
			c := get(s, tt.condition)
			if c.Status != tt.status || c.Reason != tt.reason || !strings.Contains(c.Message, tt.message) {
				t.Errorf("%s is %s (%s): %s; want %s (%s): …%s…", tt.condition, c.Status, c.Reason, c.Message, tt.status, tt.reason, tt.message)
			}
			if got := get(s, "Ready").Status; got != tt.ready {
				t.Errorf("Ready is %s, want %s", got, tt.ready)
			}
			if got := judge(t, o.Server, s); got != tt.judged {
				t.Errorf("kstatus calls it %s, want %s", got, tt.judged)
			}
		})
	}
}

func TestStatusFields(t *testing.T) {
	o := healthy(func(o *Observed) {
		o.Replicas = 3
		o.Pods = append(o.Pods,
			Pod{Name: "files-0", Terminating: true, Ports: config.PortSet{30010}},
			Pod{Name: "files-b", Ports: config.PortSet{30011}})
	})
	s := Compute(o, noon)
	if s.Replicas != 2 || s.ReadyReplicas != 1 || s.ReplicasSummary != "1/3" || s.Users != 1 ||
		s.Selector != "ftp-operator.io/server=files" || s.Endpoint != "ftp://203.0.113.10:21" || s.PassiveRange != "30000-30009" {
		t.Errorf("status is %+v", s)
	}
	if want := []v1alpha1.Endpoint{{Scheme: "ftp", Address: "203.0.113.10", Port: 21}}; !slices.Equal(s.Endpoints, want) {
		t.Errorf("endpoints %+v, want %+v", s.Endpoints, want)
	}
	if want := []v1alpha1.PortSpan{{Start: 30000, End: 30009}}; !slices.Equal(s.PassivePortRanges, want) {
		t.Errorf("passivePortRanges %+v, want %+v", s.PassivePortRanges, want)
	}
	o.Plan.Exposed = config.PortSet{30000, 30001, 30005}
	if got, want := Compute(o, noon).PassivePortRanges, []v1alpha1.PortSpan{{Start: 30000, End: 30001}, {Start: 30005, End: 30005}}; !slices.Equal(got, want) {
		t.Errorf("of two runs: %+v, want %+v", got, want)
	}
	var states []string
	for _, p := range s.Pods {
		states = append(states, p.Name+" "+string(p.State)+" "+p.PassivePorts+" "+p.AdvertisedIP)
	}
	want := "files-0 Draining 30010 , files-a Ready 30000-30009 203.0.113.10, files-b Waiting 30011 "
	if got := strings.Join(states, ", "); got != want {
		t.Errorf("pods are %s, want %s", got, want)
	}
}

func TestDataPeerCheck(t *testing.T) {
	says := func(peer config.DataPeer) *config.Status { return &config.Status{DataPeer: peer} }
	tests := []struct {
		name   string
		pods   []Pod
		check  v1alpha1.DataPeerCheck
		reason string
	}{
		{"no pod", nil, "TLSSession", "as it is (as configured; no pod could be asked)"},
		{"no answer", []Pod{{Name: "a", DaemonError: "no route"}}, "TLSSession", "as it is (as configured; no pod could be asked)"},
		{"an older daemon, which does not say", []Pod{{Name: "a", Daemon: says("")}}, "TLSSession", "as it is (as configured; no pod could be asked)"},
		{"as configured", []Pod{{Name: "a", Daemon: says("TLSSession")}, {Name: "b"}}, "TLSSession", "as it is"},
		{"one is behind", []Pod{{Name: "a", Daemon: says("TLSSession")}, {Name: "c", Daemon: says("Relaxed")}, {Name: "b", Daemon: says("Relaxed")}}, "Relaxed", "pod b has not taken over yet that it is to be TLSSession"},
		{"all are behind", []Pod{{Name: "a", Daemon: says("Strict")}}, "Strict", "pod a has not taken over yet that it is to be TLSSession"},
		{"a draining one does not count", []Pod{{Name: "a", Terminating: true, Daemon: says("Relaxed")}, {Name: "b", Daemon: says("TLSSession")}}, "TLSSession", "as it is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Compute(healthy(func(o *Observed) {
				o.Pods, o.DataPeer.Check = tt.pods, v1alpha1.DataPeerTLSSession
			}), noon)
			if s.DataPeerCheck != tt.check || s.DataPeerCheckReason != tt.reason {
				t.Errorf("got %s: %s", s.DataPeerCheck, s.DataPeerCheckReason)
			}
		})
	}
}

func TestForeignConditionsStay(t *testing.T) {
	o := healthy(func(o *Observed) {
		o.Server.Status.Conditions = []metav1.Condition{{Type: "Theirs", Status: "True", Reason: "R"}}
	})
	if got := get(Compute(o, noon), "Theirs").Reason; got != "R" {
		t.Errorf("a foreign condition has reason %q", got)
	}
}

// TestRetiredConditionsGo: conditions of an earlier version, which have other names now, do not stay.
func TestRetiredConditionsGo(t *testing.T) {
	o := healthy()
	o.Server.Status.Conditions = []metav1.Condition{{Type: "Paused"}, {Type: "Theirs"}, {Type: "ClientNetworksKept"}}
	for name, s := range map[string]v1alpha1.FtpServerStatus{
		"computed": Compute(o, noon), "suspended": Suspended(o.Server, noon), "failed": Failed(o.Server, "x", noon),
	} {
		var kinds []string
		for _, c := range s.Conditions {
			kinds = append(kinds, c.Type)
		}
		if slices.Contains(kinds, "Paused") || slices.Contains(kinds, "ClientNetworksKept") || !slices.Contains(kinds, "Theirs") {
			t.Errorf("%s: %v", name, kinds)
		}
	}
}

func TestSuspendedAndFailedKeepWhatWasKnown(t *testing.T) {
	o := healthy()
	o.Server.Status = Compute(o, noon)
	o.Server.Generation++
	for name, s := range map[string]v1alpha1.FtpServerStatus{
		"Suspended": Suspended(o.Server, noon), "Failed": Failed(o.Server, "500", noon),
	} {
		if s.ObservedGeneration != 7 || len(s.Pods) != 1 || s.Endpoint == "" {
			t.Errorf("%s: %+v", name, s)
		}
		if got := judge(t, o.Server, s); got != status.InProgressStatus {
			t.Errorf("%s: kstatus calls it %s", name, got)
		}
	}
	if got := get(Suspended(o.Server, noon), "Suspended").Status; got != metav1.ConditionTrue {
		t.Errorf("Suspended is %s", got)
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	s := Compute(healthy(func(o *Observed) {
		o.Problems = []Problem{{Kind: ProblemRejected, Message: strings.Repeat("é", 40000)}}
	}), noon)
	if n := len(get(s, "Ready").Message); n > bounded.Condition+10 {
		t.Errorf("message of %d bytes", n)
	}
}
