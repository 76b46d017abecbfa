package portplan_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftp-operator/ftp-operator/controllers/portplan"
)

var update = flag.Bool("update", false, "write the golden traces in testdata")

// TestTraces plays events and compares the resulting plans with testdata/<name>.golden. The events of one line happen
// between two plans.
func TestTraces(t *testing.T) {
	for name, events := range map[string][]string{
		"scale-up": {
			"range 30000-30063; replicas 1; surge 1", "create a",
			"replicas 3; create b", "create c",
			"replicas 5; create d e",
		},
		"scale-down": {
			"range 30000-30063; replicas 3; surge 1", "create a b c",
			"replicas 1; terminate b c", "gone c", "gone b",
			"replicas 2; create d",
		},
		"rollout": {
			"range 30000-30063; replicas 3; surge 1", "create a b c",
			"create d", "terminate a; create e", "terminate b; create f", "terminate c",
			"gone a b c",
		},
		"rollouts-while-pods-linger": {
			"range 30000-30031; replicas 1; surge 1", "create a",
			"create b", "terminate a",
			"create c", "terminate b",
			"create d", "terminate c",
			"create e", "gone a", "gone b c",
			"terminate d; create f",
		},
		"rollout-without-surge": {
			"range 30000-30009; replicas 1; surge 0", "create a",
			"terminate a; create b", "gone a",
			"terminate b; create c",
		},
		"node-loss": {
			"range 30000-30015; replicas 2; surge 1", "create a b",
			"terminate a; create c", // the node does not answer: a stays terminating
			"gone a", "gone b; create d",
		},
		"range-grown": {
			"range 30000-30009; replicas 2; surge 1", "create a b",
			"range 30000-30039", "replicas 3; create c",
		},
		"range-shrunk": {
			"range 30000-30019; replicas 2; surge 1", "create a b",
			"range 30000-30009", "range 30000-30004",
			"create c", "terminate b; create d", "gone b",
			"terminate d; gone d; create e", "terminate a", "gone a",
		},
		"range-moved": {
			"range 30000-30009; replicas 1; surge 1", "create a",
			"range 31000-31009", "create b", "terminate a", "gone a",
		},
		"range-grown-and-shrunk-back": {
			"range 30000-30003; replicas 2; surge 1", "create a b",
			"range 30000-30009; replicas 3", "create c", "terminate a; gone a", "create d e f",
			"range 30000-30003; replicas 2", "create g", "terminate d e f g; gone d e f g",
		},
		"more-pods-than-ports": {
			"range 30000-30002; replicas 5; surge 1", "create a b c d e",
			"terminate b", "gone b", "range 30000-30005",
		},
		"short-but-equal": {
			"range 30000-30063; replicas 1; surge 1", "create a", "create b", "terminate a",
			"replicas 5; create c", "create d e f", "gone a",
		},
		"scaled-to-the-last-port": {
			"range 30000-30011; replicas 1; surge 1", "create a",
			"replicas 11", "create b c d e f g h i j k",
			"terminate a; create l", "gone a",
		},
		// Three rollouts, from 3 to 5 to 2 pods, and a drained node, while every old pod lingers.
		"rolled-scaled-and-drained": {
			"range 30000-30063; replicas 3; surge 1", "create a b c",
			"create d", "terminate a; create e", "terminate b; create f", "terminate c",
			"replicas 5; create g h", "create i", "terminate d; create j",
			"replicas 2; terminate e f g",
			"gone a b c", "terminate h; create k", "terminate i; create l",
			"gone d e f g h i", "terminate j k",
		},
		"edited-annotations": {
			"range 30000-30009; replicas 2; surge 1", "create a b",
			"annotate b 30000-30001,30003,40000",
			"terminate b; create c", "gone b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", name+".golden"), trace(t, events))
		})
	}
}

// trace plays the events and describes the resulting plans.
func trace(t *testing.T, events []string) string {
	t.Helper()
	var out strings.Builder
	m := &model{}
	for _, line := range events {
		fmt.Fprintln(&out, line)
		for event := range strings.SplitSeq(line, ";") {
			m.happen(t, event)
		}
		before := m.template
		plan := m.reconcile()
		for _, name := range slices.Sorted(maps.Keys(plan.Assign)) {
			fmt.Fprintf(&out, "    assign   %s %s\n", name, plan.Assign[name])
		}
		for _, name := range plan.Waiting {
			fmt.Fprintf(&out, "    waiting  %s\n", name)
		}
		for _, name := range plan.Outdated {
			fmt.Fprintf(&out, "    outdated %s\n", name)
		}
		for _, c := range plan.Conflicts {
			fmt.Fprintf(&out, "    conflict %s holds %s of %s\n", c.Pod, c.Ports, c.Keeper)
		}
		for _, r := range plan.Replace {
			fmt.Fprintf(&out, "    replace  %s: %s\n", r.Pod, r.Cause)
		}
		if before != "" && before != m.template {
			fmt.Fprintf(&out, "    roll     template %s, was %s\n", m.template, before)
		}
		for _, pod := range m.in.Pods {
			state := ""
			if pod.Terminating {
				state = " draining"
			}
			if held := pod.Held.String(); held != "" {
				fmt.Fprintf(&out, "    holds    %s %s%s\n", pod.Name, held, state)
			}
		}
		fmt.Fprintf(&out, "    exposed  %s\n", plan.Exposed)
	}
	return out.String()
}

// golden compares got with a file; with -update it writes the file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: make it with go test ./controllers/portplan -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is no longer what happens (-file +now); if that is meant, run go test ./controllers/portplan -update\n%s", file, diff)
	}
}

// TestQuotaCarriesARollout: the quota is the largest share that every pod of a whole rollout can get even if no old
// pod ends before the rollout does.
func TestQuotaCarriesARollout(t *testing.T) {
	for _, replicas := range []int{1, 2, 3, 7, 20} {
		for _, surge := range []int{0, 1, 2} {
			for _, each := range []int{1, 2, 5} {
				count := each * (2*replicas + max(surge, 1))
				m := &model{in: portplan.Input{Replicas: replicas, Surge: surge}}
				for i := range count {
					m.in.Range = append(m.in.Range, uint16(30000+i))
				}
				for i := range replicas {
					m.create(fmt.Sprintf("old-%d", i))
				}
				m.reconcile()
				for i := range replicas {
					if i >= surge {
						m.terminate(fmt.Sprintf("old-%d", i-surge))
					}
					m.create(fmt.Sprintf("new-%d", i))
					m.reconcile()
				}
				for _, pod := range m.in.Pods {
					if len(pod.Held) != each {
						t.Errorf("replicas %d, surge %d, %d ports: %s holds %s, want %d ports",
							replicas, surge, count, pod.Name, pod.Held, each)
					}
				}
			}
		}
	}
}
