package portplan_test

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// TestRulesHoldUnderAnyEvents creates, drains and removes pods and changes the spec in random order. It computes
// plans in between and checks the rules of the package after each plan.
func TestRulesHoldUnderAnyEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{in: portplan.Input{Range: config.PortRange(30000, 30015), Replicas: 1, Surge: 1}}
		holds := map[string]config.PortSet{} // the ports that each living pod was given first
		t.Repeat(map[string]func(*rapid.T){
			"create": func(*rapid.T) { m.create(fmt.Sprintf("pod-%d", m.created)) },
			"terminate": func(t *rapid.T) {
				if len(m.in.Pods) > 0 {
					m.terminate(rapid.SampledFrom(m.in.Pods).Draw(t, "pod").Name)
				}
			},
			"gone": func(t *rapid.T) { // also without a termination, as when a node is deleted
				if len(m.in.Pods) > 0 {
					name := rapid.SampledFrom(m.in.Pods).Draw(t, "pod").Name
					m.gone(name)
					delete(holds, name)
				}
			},
			"range": func(t *rapid.T) {
				start := rapid.Uint16Range(30000, 30020).Draw(t, "start")
				m.in.Range = config.PortRange(start, start+rapid.Uint16Range(0, 300).Draw(t, "more"))
			},
			"scale": func(t *rapid.T) {
				m.in.Replicas = rapid.IntRange(0, 12).Draw(t, "replicas")
				m.in.Surge = rapid.IntRange(0, 2).Draw(t, "surge")
			},
			"plan": func(t *rapid.T) {
				before := slices.Clone(m.in.Pods)
				plan := portplan.Compute(m.in)
				checkIndifferent(t, m.in, plan)
				checkAssigned(t, m.in, plan)
				checkWaiting(t, m.in, plan)
				checkRoutes(t, m.in, plan)
				checkReplace(t, m.in, plan)
				if !reflect.DeepEqual(before, m.in.Pods) {
					t.Fatalf("the input was changed: %v", m.in.Pods)
				}
				m.reconcile()
			},
			"": func(t *rapid.T) {
				for i, a := range m.in.Pods {
					if was, ok := holds[a.Name]; ok && !was.Equal(a.Held) {
						t.Fatalf("%s held %s and now holds %s", a.Name, was, a.Held)
					}
					if len(a.Held) > 0 {
						holds[a.Name] = a.Held
					}
					for _, b := range m.in.Pods[:i] {
						if both := a.Held.Intersect(b.Held); len(both) > 0 {
							t.Fatalf("%s and %s both hold %s", a.Name, b.Name, both)
						}
					}
				}
			},
		})
	})
}

// checkIndifferent checks that the order in which pods are listed does not matter.
func checkIndifferent(t *rapid.T, in portplan.Input, plan portplan.Plan) {
	shuffled := in
	shuffled.Pods = slices.Clone(in.Pods)
	rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(shuffled.Pods), func(i, j int) {
		shuffled.Pods[i], shuffled.Pods[j] = shuffled.Pods[j], shuffled.Pods[i]
	})
	if again := portplan.Compute(shuffled); !reflect.DeepEqual(plan, again) {
		t.Fatalf("the same pods in another order gave another plan:\n%+v\n%+v", plan, again)
	}
}

// free returns the declared ports that no pod holds.
func free(in portplan.Input) config.PortSet {
	left := in.Range
	for _, pod := range in.Pods {
		left = left.Minus(pod.Held)
	}
	return left
}

// checkAssigned checks that the lowest free ports are assigned in equal parts, none larger than the quota, to living
// pods that had none.
func checkAssigned(t *rapid.T, in portplan.Input, plan portplan.Plan) {
	var given config.PortSet
	each := 0
	for name, ports := range plan.Assign {
		pod := in.Pods[slices.IndexFunc(in.Pods, func(p portplan.Pod) bool { return p.Name == name })]
		if pod.Terminating || len(pod.Held) > 0 {
			t.Fatalf("%+v was given %s", pod, ports)
		}
		if each == 0 {
			each = len(ports)
		}
		if len(ports) != each || each == 0 || each > portplan.Quota(len(in.Range), in.Replicas, in.Surge) {
			t.Fatalf("%s was given %d ports, another %d, quota %d", name, len(ports), each,
				portplan.Quota(len(in.Range), in.Replicas, in.Surge))
		}
		given = given.Union(ports)
	}
	if len(given) != each*len(plan.Assign) {
		t.Fatalf("a port was given twice: %v", plan.Assign)
	}
	if lowest := free(in)[:len(given)]; !given.Equal(lowest) {
		t.Fatalf("given %s, the lowest free ones are %s", given, lowest)
	}
}

// checkWaiting checks that a pod waits only if no port is left, and that one free port is kept as long as no pod that
// could use it waits.
func checkWaiting(t *rapid.T, in portplan.Input, plan portplan.Plan) {
	left := free(in)
	wants := 0
	for _, pod := range in.Pods {
		if !pod.Terminating && len(pod.Held) == 0 {
			wants++
		}
	}
	if wants != len(plan.Assign)+len(plan.Waiting) {
		t.Fatalf("%d pods want ports, %d were given some, %d wait", wants, len(plan.Assign), len(plan.Waiting))
	}
	if short := max(wants-len(left), 0); len(plan.Waiting) != short {
		t.Fatalf("%d ports are free for %d pods, but %d wait", len(left), wants, len(plan.Waiting))
	}
	for _, ports := range plan.Assign {
		left = left.Minus(ports)
	}
	if wants > 0 && wants < len(free(in)) && len(left) == 0 {
		t.Fatalf("no port is left for a surge pod: %v", plan.Assign)
	}
}

// checkRoutes checks that exactly the declared and the held ports are exposed, and that each held port is routed to
// its holder.
func checkRoutes(t *rapid.T, in portplan.Input, plan portplan.Plan) {
	want := in.Range
	for _, pod := range in.Pods {
		want = want.Union(pod.Held)
		if !plan.Routes[pod.Name].Equal(pod.Held) {
			t.Fatalf("%s holds %s, %s lead to it", pod.Name, pod.Held, plan.Routes[pod.Name])
		}
	}
	if !plan.Exposed.Equal(want) {
		t.Fatalf("exposed %s, want %s", plan.Exposed, want)
	}
	if len(plan.Conflicts) > 0 {
		t.Fatalf("conflicts: %v", plan.Conflicts)
	}
}

// checkReplace checks that a pod is replaced for its ports only if another pod waits, and that it frees some.
func checkReplace(t *rapid.T, in portplan.Input, plan portplan.Plan) {
	switch {
	case len(plan.Replace) == 0:
		return
	case plan.Replace[0].Cause == portplan.CauseNeverReady:
		for _, r := range plan.Replace {
			i := slices.IndexFunc(in.Pods, func(p portplan.Pod) bool { return p.Name == r.Pod })
			if !in.Pods[i].Unused || in.Pods[i].Terminating || len(in.Pods[i].Held.Minus(in.Range)) == 0 {
				t.Fatalf("replaces %v, which took sessions, goes already, or holds nothing outdated", r)
			}
		}
		return
	case len(plan.Replace) > 1 || len(plan.Waiting) == 0:
		t.Fatalf("replaces %v, waiting %v", plan.Replace, plan.Waiting)
	}
	without := in
	without.Pods = slices.DeleteFunc(slices.Clone(in.Pods), func(p portplan.Pod) bool {
		return p.Name == plan.Replace[0].Pod
	})
	if len(portplan.Compute(without).Assign) == 0 {
		t.Fatalf("%v makes no room for %v", plan.Replace, plan.Waiting)
	}
}

// TestARolloutAlwaysEnds: after any change of range and replicas that leaves at least MinimumPorts, the rollout of a
// Deployment ends with every pod holding declared ports.
func TestARolloutAlwaysEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := deployment{lingers: rapid.IntRange(1, 6).Draw(t, "lingers")}
		d.in.Surge = rapid.IntRange(0, 1).Draw(t, "surge")
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			d.in.Replicas = rapid.IntRange(1, 6).Draw(t, "replicas")
			start := rapid.Uint16Range(30000, 30012).Draw(t, "start")
			least := portplan.MinimumPorts(d.in.Replicas, d.in.Surge)
			count := rapid.IntRange(least, least+12).Draw(t, "ports")
			d.in.Range = config.PortRange(start, start+uint16(count)-1)
			if rapid.Bool().Draw(t, "settle") {
				d.settle(t)
			} else {
				d.step()
			}
		}
		d.settle(t)
	})
}

// deployment models a Deployment controller during a rollout, as far as the plan depends on it. Its terminating pods
// linger for some steps.
type deployment struct {
	model
	lingers int
	age     map[string]int
}

// settle calls step until nothing is left to do.
func (d *deployment) settle(t *rapid.T) {
	const limit = 1000
	for range limit {
		if !d.step() {
			for _, pod := range d.in.Pods {
				if len(pod.Held) == 0 || len(pod.Held.Minus(d.in.Range)) > 0 || pod.Template != d.template {
					t.Fatalf("settled with %+v, range %s, template %s", pod, d.in.Range, d.template)
				}
			}
			return
		}
	}
	t.Fatalf("no end after %d steps: replicas %d, surge %d, range %s, template %s, pods %+v",
		limit, d.in.Replicas, d.in.Surge, d.in.Range, d.template, d.in.Pods)
}

// step advances the time: terminating pods go, a plan is computed and carried out, and the Deployment creates and
// deletes pods within its surge and availability. It reports whether anything is left to do.
func (d *deployment) step() bool {
	busy := false
	if d.age == nil {
		d.age = map[string]int{}
	}
	for _, pod := range slices.Clone(d.in.Pods) {
		if pod.Terminating {
			busy = true
			if d.age[pod.Name]++; d.age[pod.Name] > d.lingers {
				d.gone(pod.Name)
			}
		}
	}
	template := d.template
	plan := d.reconcile()
	for _, r := range plan.Replace {
		d.terminate(r.Pod)
	}
	busy = busy || template != d.template || len(plan.Assign)+len(plan.Replace)+len(plan.Waiting)+len(plan.Outdated) > 0

	var old, alive, ready int
	for _, pod := range d.in.Pods {
		if pod.Terminating {
			continue
		}
		alive++
		if len(pod.Held) > 0 {
			ready++
		}
		if pod.Template != d.template {
			old++
		}
	}
	// A rolling update may delete pods that are not ready, and ready ones beyond those that must be available.
	spare := ready - (d.in.Replicas - 1 + d.in.Surge)
	for _, unready := range []bool{true, false} {
		for _, pod := range slices.Clone(d.in.Pods) {
			isOld := pod.Template != d.template
			mayGo := !pod.Terminating && (isOld || alive > d.in.Replicas+d.in.Surge || old == 0 && alive > d.in.Replicas)
			if !mayGo || unready != (len(pod.Held) == 0) || !unready && spare <= 0 {
				continue
			}
			if !unready {
				spare--
			}
			if isOld {
				old--
			}
			d.terminate(pod.Name)
			alive--
			busy = true
		}
	}
	limit := d.in.Replicas
	if old > 0 {
		limit += d.in.Surge
	}
	for ; alive < limit; alive++ {
		d.create(fmt.Sprintf("pod-%d", d.created))
		busy = true
	}
	return busy || old > 0
}
