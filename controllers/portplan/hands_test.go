package portplan_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// TestHandsCannotMisroute writes arbitrary ports onto pods, as a user with kubectl could, while pods come and go.
// Every port must still be routed to one pod, the oldest that holds it, and no held port may be assigned. Once these
// writes end, replacing pods must end every conflict.
func TestHandsCannotMisroute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{in: portplan.Input{Range: config.PortRange(30000, 30015), Replicas: 3, Surge: 1}}
		some := func() string { return rapid.SampledFrom(m.in.Pods).Draw(t, "pod").Name }
		for range rapid.IntRange(1, 20).Draw(t, "events") {
			event := rapid.SampledFrom([]string{"create", "terminate", "gone", "write", "write"}).Draw(t, "event")
			switch {
			case event == "create" || len(m.in.Pods) == 0:
				m.create(fmt.Sprintf("pod-%d", m.created))
			case event == "terminate":
				m.terminate(some())
			case event == "gone":
				m.gone(some())
			default:
				m.pod(some()).Held = config.NewPortSet(rapid.SliceOfN(rapid.Uint16Range(29998, 30017), 0, 6).Draw(t, "ports")...)
			}
			checkLeads(t, m, portplan.Compute(m.in))
			if rapid.Bool().Draw(t, "reconcile") {
				m.reconcile()
			}
		}
		const limit = 100
		for range limit {
			plan := m.reconcile()
			if len(plan.Conflicts) == 0 {
				return
			}
			for _, r := range plan.Replace {
				m.gone(r.Pod)
			}
			for _, c := range plan.Conflicts { // the pods that drain go by themselves
				for _, pod := range m.in.Pods {
					if pod.Name == c.Pod && pod.Terminating {
						m.gone(c.Pod)
						break
					}
				}
			}
		}
		t.Fatalf("conflicts without end: %+v", m.in.Pods)
	})
}

// checkLeads checks that each held port is routed to its oldest holder only, and that no held port is assigned.
func checkLeads(t *rapid.T, m *model, plan portplan.Plan) {
	oldest := map[uint16]portplan.Pod{}
	for _, pod := range m.in.Pods {
		for _, port := range pod.Held {
			if first, held := oldest[port]; !held || pod.Created.Before(first.Created) {
				oldest[port] = pod
			}
		}
	}
	led := 0
	for name, ports := range plan.Routes {
		for _, port := range ports {
			led++
			if oldest[port].Name != name {
				t.Fatalf("port %d leads to %s, its oldest holder is %q", port, name, oldest[port].Name)
			}
		}
	}
	if led != len(oldest) {
		t.Fatalf("%d ports are held, %d lead somewhere", len(oldest), led)
	}
	for name, ports := range plan.Assign {
		for _, port := range ports {
			if holder, held := oldest[port]; held {
				t.Fatalf("%s is given %d, which %s holds", name, port, holder.Name)
			}
		}
	}
}
