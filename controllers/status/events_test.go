package status

import (
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
)

func TestEvents(t *testing.T) {
	well := Compute(healthy(), noon)
	missing := Compute(healthy(func(o *Observed) {
		o.Users.Problems = []UserProblem{{User: "bob", Missing: true, Message: "no Secret"}}
	}), noon)
	pending := Compute(healthy(func(o *Observed) { o.Address = address.Result{Reason: address.ReasonLoadBalancerPending} }), noon)
	lost := Compute(healthy(func(o *Observed) {
		o.Address.Lost, o.Address.Reason, o.Address.Message = true, address.ReasonAddressLost, "lost"
	}), noon)
	stale := Compute(healthy(func(o *Observed) { o.Pods[0].Daemon.AddressError = "no answer" }), noon)
	limits := func(in loadbalancer.Input) v1alpha1.FtpServerStatus {
		return Compute(healthy(func(o *Observed) { o.LoadBalancer = in }), noon)
	}
	refused := limits(loadbalancer.Input{Type: "LoadBalancer", Class: "service.k8s.aws/nlb", ControlPorts: 1, PassivePorts: 64, DeclaredPorts: 64})
	wide := limits(loadbalancer.Input{Type: "LoadBalancer", ControlPorts: 1, PassivePorts: 900, DeclaredPorts: 900})
	google := limits(loadbalancer.Input{Type: "LoadBalancer", ProviderID: "gce://p/z/n", ControlPorts: 1, PassivePorts: 10, DeclaredPorts: 10})
	tests := []struct {
		name          string
		before, after v1alpha1.FtpServerStatus
		want          []string
	}{
		{"too many ports", well, refused, []string{"Warning TooManyListeners"}},
		{"still too many", refused, refused, nil},
		{"ports within limits", refused, well, []string{"Normal WithinLimits"}},
		{"many node ports", well, wide, []string{"Warning ManyNodePorts"}},
		{"a note is no event", well, google, nil},
		{"first readiness", v1alpha1.FtpServerStatus{}, well, []string{"Normal Ready"}},
		{"turning bad", well, missing, []string{"Warning PasswordMissing"}},
		{"staying bad", missing, missing, nil},
		{"recovery", missing, well, []string{"Normal UsersReady", "Normal Ready"}},
		{"only waiting", v1alpha1.FtpServerStatus{}, pending, nil},
		{"a Secret that is not there at the start", v1alpha1.FtpServerStatus{}, missing, []string{"Warning PasswordMissing after 1m0s"}},
		{"address lost", well, lost, []string{"Warning AddressLost"}},
		{"trouble while it serves", well, stale, []string{"Warning HostNameNotRefreshed"}},
		{"trouble over", stale, well, []string{"Normal AddressResolved"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, e := range Events(tt.before, tt.after) {
				kind := "Normal "
				if e.Warning {
					kind = "Warning "
				}
				if e.Grace > 0 {
					e.Reason += " after " + e.Grace.String()
				}
				got = append(got, kind+e.Reason)
			}
			if strings.Join(got, ", ") != strings.Join(tt.want, ", ") {
				t.Errorf("events %v, want %v", got, tt.want)
			}
		})
	}
}
