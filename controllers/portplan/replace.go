package portplan

import (
	"cmp"
	"slices"
)

// Cause says why a pod must be replaced.
type Cause string

const (
	// CauseConflict is a pod that holds ports that an older pod holds too.
	CauseConflict Cause = "PortConflict"
	// CausePortsNeeded is a pod that holds ports without which another pod waits for ever. That comes about when a
	// range shrinks to ports that its old holders have, or the replicas become many more than they were.
	// A rolling update can't help: its new pod waits for ports that the old pods hold, and the old pods
	// stay until the new one is ready.
	CausePortsNeeded Cause = "PortsNeeded"
	// CauseNeverReady is a pod that holds ports outside the declared range and has never taken sessions. What keeps it
	// from getting ready may be these very ports: a load balancer whose address others share refuses
	// the Service because of them. A rolling update waits for the new pod, which waits for the address. No client was
	// told a port of it, so nothing is lost with it.
	CauseNeverReady Cause = "NeverReady"
)

// Replacement is a pod that the operator must delete, for its Deployment to make another.
type Replacement struct {
	Pod   string
	Cause Cause
}

// replacements are the outdated pods that were never ready, the losers of conflicts and, if none of the pods that wait could otherwise ever get a
// port, one holder: an outdated one, else the one that holds most, the oldest of equals. One at a
// time and only while all other holders are ready, so that somebody goes on taking sessions.
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

// needed finds the pod that must make room; none while a terminating pod is about to, while a
// scale-down is under way, or while another holder is not ready.
func needed(in Input, pods []Pod, outdated []string) string {
	type holder struct {
		name     string
		outdated bool
		ports    int // of the declared range
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
		// A holder of a single port makes no room: its successor needs it.
		if ports > 1 || isOutdated && ports > 0 {
			holders = append(holders, holder{pod.Name, isOutdated, ports})
		}
	}
	if len(holders) == 0 || alive > in.Replicas+max(in.Surge, 0) {
		return ""
	}
	// Stable: pods are oldest first.
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
