package v1alpha1

// DrainSpec says how a pod ends its sessions when it is replaced, scaled down or evicted. At first the pod still
// takes new sessions, until routing sends them to other pods. Then it refuses new sessions with 421, ends idle ones,
// and serves the others, including their next transfers, until template.terminationGracePeriodSeconds is over. A
// change also applies to running pods.
type DrainSpec struct {
	// lameDuck is the time for which a pod still takes new sessions after it was withdrawn from routing, which nodes
	// and load balancers notice with a delay: 0s to 5m, and less than template.terminationGracePeriodSeconds. Each
	// login starts it again, but it ends after six times as long in any case. Default 5s; where load balancers notice
	// by their own health checks, as with externalTrafficPolicy Local and with IP targets, the time that their
	// default checks take: 35s for an AWS Network Load Balancer, 65s for a classic one, 30s on Google Cloud, 15s
	// elsewhere. If you changed the checks, set it above their interval times their threshold.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('0s') && duration(self) <= duration('5m')",message="drain.lameDuck is out of range: write 0s to 5m"
	LameDuck Duration `json:"lameDuck,omitempty"`
	// idle is the time for which a session must have been idle to be ended with 421: 1s to 24h. Default 5s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="drain.idle is out of range: write 1s to 24h"
	Idle Duration `json:"idle,omitempty"`
}
