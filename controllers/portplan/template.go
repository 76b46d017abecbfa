package portplan

import (
	"fmt"
	"strings"
)

// TemplateRange returns the value that the pod template's passive-range annotation should have, given its current
// value. A change of the annotation rolls the pods, so the value changes only when a pod holds ports that are no
// longer declared: a range that grew rolls nothing.
//
// The value is the declared range. It is followed by a number if outdated pods were made from a template with that
// value already (the range grew, was used and shrank back), since otherwise they would not be rolled.
func TemplateRange(current string, in Input, plan Plan) string {
	outdated := map[string]bool{}
	for _, name := range plan.Outdated {
		outdated[name] = true
	}
	stale := map[string]bool{} // values whose pods are to be rolled
	for _, pod := range in.Pods {
		if outdated[pod.Name] && pod.Template != "" {
			stale[pod.Template] = true
		}
	}

	declared := in.Range.String()
	value, _, _ := strings.Cut(current, " ")
	switch {
	case current != "" && len(plan.Outdated) == 0:
		return current
	case value == declared && !stale[current]:
		return current // the rollout is in progress
	}
	for n := 2; stale[declared]; n++ {
		declared = fmt.Sprintf("%s (%d)", in.Range, n)
	}
	return declared
}
