package portplan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Compute returns the plan for in. The order of in.Pods does not matter, and Compute changes nothing in in.
func Compute(in Input) Plan {
	pods := oldestFirst(in.Pods)
	inUse := held(pods)
	plan := Plan{
		Assign:  map[string]config.PortSet{},
		Exposed: in.Range.Union(inUse),
	}
	plan.Routes, plan.Conflicts = routes(pods)
	free := in.Range.Minus(inUse)

	var waiting []string
	holders := 0
	for _, pod := range pods {
		switch {
		case pod.Terminating:
		case len(pod.Held) == 0:
			waiting = append(waiting, pod.Name)
		default:
			holders++
			if len(pod.Held.Minus(in.Range)) > 0 {
				plan.Outdated = append(plan.Outdated, pod.Name)
			}
		}
	}
	slices.Sort(plan.Outdated)

	each := share(in, len(free), len(waiting), holders)
	for _, name := range waiting {
		n := min(each, len(free))
		if n == 0 {
			plan.Waiting = append(plan.Waiting, name)
			continue
		}
		plan.Assign[name] = slices.Clone(free[:n])
		free = free[n:]
	}
	plan.Replace = replacements(in, pods, plan)
	return plan
}

// oldestFirst returns the pods in the order in which they get ports: by age, then name, then UID.
func oldestFirst(pods []Pod) []Pod {
	return slices.SortedFunc(slices.Values(pods), func(a, b Pod) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID))
	})
}

// held returns the ports that any of the pods holds.
func held(pods []Pod) config.PortSet {
	var all []uint16
	for _, pod := range pods {
		all = append(all, pod.Held...)
	}
	return config.NewPortSet(all...)
}

// routes leads every held port to the oldest pod that holds it, and returns the conflicts of the other holders.
func routes(pods []Pod) (map[string]config.PortSet, []Conflict) {
	byPod := map[string]config.PortSet{}
	var conflicts []Conflict
	keeper := map[uint16]string{}
	for _, pod := range pods {
		var own config.PortSet
		lost := map[string]config.PortSet{}
		for _, port := range pod.Held {
			if name, taken := keeper[port]; taken {
				lost[name] = append(lost[name], port)
				continue
			}
			keeper[port] = pod.Name
			own = append(own, port)
		}
		if len(own) > 0 {
			byPod[pod.Name] = own
		}
		for _, name := range slices.Sorted(maps.Keys(lost)) {
			conflicts = append(conflicts, Conflict{Pod: pod.Name, Keeper: name, Ports: lost[name]})
		}
	}
	slices.SortFunc(conflicts, func(a, b Conflict) int {
		return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Keeper, b.Keeper))
	})
	return byPod, conflicts
}
