package portplan

import (
	"fmt"
	"strings"
)

// TemplateRange is the value that the pod template's passive-range annotation should have, given
// the one that it has. A change rolls the pods, so it changes only when a pod holds ports that
// are no longer declared: a range that grew rolls nothing.
//
// It is the declared range, with a number behind it where outdated pods were made from a template
// of that value already (the range grew, was used and shrank back), as they'd not be rolled otherwise.
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
		return current // on its way
	}
	for n := 2; stale[declared]; n++ {
		declared = fmt.Sprintf("%s (%d)", in.Range, n)
	}
	return declared
}
