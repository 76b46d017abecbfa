package portplan_test

import (
	"slices"
	"testing"

	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Of pods outside the range, exactly those that never took sessions are replaced at once.
func TestNeverReady(t *testing.T) {
	old, now := config.PortRange(30000, 30003), config.PortRange(30100, 30103)
	for name, one := range map[string]struct {
		pod  portplan.Pod
		want []portplan.Replacement
	}{
		"never ready, outdated":   {portplan.Pod{Held: old, Unused: true}, []portplan.Replacement{{Pod: "a", Cause: portplan.CauseNeverReady}}},
		"never ready, up to date": {portplan.Pod{Held: now, Unused: true}, nil},
		"goes already":            {portplan.Pod{Held: old, Unused: true, Terminating: true}, nil},
		"took sessions":           {portplan.Pod{Held: old}, nil},
	} {
		one.pod.Name = "a"
		plan := portplan.Compute(portplan.Input{Range: now, Replicas: 1, Surge: 1, Pods: []portplan.Pod{one.pod}})
		if !slices.Equal(plan.Replace, one.want) {
			t.Errorf("%s: replaces %v, want %v", name, plan.Replace, one.want)
		}
		if !plan.Routes["a"].Equal(one.pod.Held) {
			t.Errorf("%s: it keeps its ports until it is gone, not %v", name, plan.Routes["a"])
		}
	}
}
