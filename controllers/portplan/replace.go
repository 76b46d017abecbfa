package portplan

import (
	"cmp"
	"slices"
)

// Cause says why a pod must be replaced.
type Cause string

const (
	// CauseConflict is the cause for a pod that holds ports that an older pod holds too.
	CauseConflict Cause = "PortConflict"
	// CausePortsNeeded is the cause for a pod that holds ports without which another pod waits for ever. This happens
	// when a range shrinks to ports that its old holders have, or when the number of replicas grows a lot. A rolling
	// update can't help: its new pod waits for ports that the old pods hold, and the old pods stay until the new one
	// is ready.
	CausePortsNeeded Cause = "PortsNeeded"
	// CauseNeverReady is the cause for a pod that holds ports outside the declared range and has never taken
	// sessions. These very ports may keep it from getting ready: a load balancer whose address is shared with others
	// refuses the Service because of them. A rolling update waits for the new pod, which waits for the address. No
	// client was given a port of the pod, so deleting it loses nothing.
	CauseNeverReady Cause = "NeverReady"
)

// Replacement is a pod that the operator must delete so that its Deployment creates another.
type Replacement struct {
	Pod   string
	Cause Cause
}

// replacements returns the younger pods of conflicts and the outdated pods that were never ready. If there are none,
// and none of the waiting pods could otherwise ever get a port, it returns one holder: an outdated one if there is
// one, else the one that holds the most ports, the oldest of equals. Only one is replaced at a time, and only while
// all other holders are ready, so that some pod goes on taking sessions.
func replacements(in Input, pods []Pod, plan Plan) []Replacement {
	terminating := map[string]bool{}
	for _, pod := range pods {
		terminating[pod.Name] = pod.Terminating
	}
	var out []Replacement
	for _, c := range plan.Conflicts {
		r := Replacement{Pod: c.Pod, Cause: CauseConflict}
		if !terminating[c.Pod] && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	for _, pod := range pods {
		_, outdated := slices.BinarySearch(plan.Outdated, pod.Name)
		already := slices.ContainsFunc(out, func(r Replacement) bool { return r.Pod == pod.Name })
		if outdated && pod.Unused && !already {
			out = append(out, Replacement{Pod: pod.Name, Cause: CauseNeverReady})
		}
	}
	if len(out) > 0 || len(plan.Waiting) == 0 {
		return out
	}
	if name := needed(in, pods, plan.Outdated); name != "" {
		out = append(out, Replacement{Pod: name, Cause: CausePortsNeeded})
	}
	return out
}

// needed returns the name of the pod that must free its ports; empty while a terminating pod is about to free some,
// while a scale-down is in progress, or while another holder is not ready.
func needed(in Input, pods []Pod, outdated []string) string {
	type holder struct {
		name     string
		outdated bool
		ports    int // within the declared range
	}
	var holders []holder
	alive, notReady := 0, map[string]bool{}
	for _, pod := range pods {
		ports := len(pod.Held.Intersect(in.Range))
		if pod.Terminating {
			if ports > 0 {
				return ""
			}
			continue
		}
		alive++
		if len(pod.Held) > 0 && !pod.Ready {
			notReady[pod.Name] = true
		}
		_, isOutdated := slices.BinarySearch(outdated, pod.Name)
		// Replacing a holder of a single port frees nothing: its successor needs one.
		if ports > 1 || isOutdated && ports > 0 {
			holders = append(holders, holder{pod.Name, isOutdated, ports})
		}
	}
	if len(holders) == 0 || alive > in.Replicas+max(in.Surge, 0) {
		return ""
	}
	// The sort is stable: pods are oldest first.
	slices.SortStableFunc(holders, func(a, b holder) int {
		if a.outdated != b.outdated {
			if a.outdated {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.ports, a.ports)
	})
	chosen := holders[0].name
	delete(notReady, chosen)
	if len(notReady) > 0 {
		return ""
	}
	return chosen
}
