package v1alpha1

// DrainSpec is how pods go that are replaced, scaled away or evicted: at first they still take new
// sessions, until routing has led these elsewhere; then they answer new ones with 421, end sessions that have
// gone idle, and serve the others, their next transfers too, until
// template.terminationGracePeriodSeconds is over. A change holds for pods that run, too.
type DrainSpec struct {
	// lameDuck is how long a pod still takes new sessions after it was withdrawn from routing, which nodes and
	// load balancers learn with a delay: 0s to 5m, and less than
	// template.terminationGracePeriodSeconds. It begins anew with each client that still logs in, and
	// ends after six times as long in any case. Default 5s; where load balancers find out by health
	// checks of their own it is what those of its kind take by default (35s for an AWS Network Load Balancer, 65s for a
	// classic one, 30s on Google Cloud, 15s elsewhere), which is so with externalTrafficPolicy Local and with IP targets.
	// Set it above interval times threshold of your load balancer's if you changed those.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('0s') && duration(self) <= duration('5m')",message="drain.lameDuck is out of range: write 0s to 5m"
	LameDuck Duration `json:"lameDuck,omitempty"`
	// idle is how long a session must have been idle to be ended with 421: 1s to 24h. Default 5s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="drain.idle is out of range: write 1s to 24h"
	Idle Duration `json:"idle,omitempty"`
}
