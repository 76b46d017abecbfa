package portrange

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Want is a set of ports that a field of the spec requests.
type Want struct {
	// Field is the field's path, as in "spec.service.nodePort".
	Field string
	Ports config.PortSet
}

// Claim is a set of ports that a Service holds.
type Claim struct {
	// Holder names the owner for messages: see Service.Holder.
	Holder string
	Ports  config.PortSet
}

// Conflict is a set of requested ports that another holder has.
type Conflict struct {
	Field  string
	Ports  config.PortSet
	Holder string
}

// Conflicts returns those of the wanted ports that others hold, by field and holder. The result is in the order of
// the fields, then of the ports.
func Conflicts(wanted []Want, held []Claim) []Conflict {
	var all []Conflict
	for _, w := range wanted {
		byHolder := map[string]config.PortSet{}
		for _, claim := range held {
			if both := w.Ports.Intersect(claim.Ports); len(both) > 0 {
				byHolder[claim.Holder] = byHolder[claim.Holder].Union(both)
			}
		}
		var some []Conflict
		for holder, ports := range byHolder {
			some = append(some, Conflict{Field: w.Field, Ports: ports, Holder: holder})
		}
		slices.SortFunc(some, func(a, b Conflict) int {
			return cmp.Or(cmp.Compare(a.Ports[0], b.Ports[0]), cmp.Compare(a.Holder, b.Holder))
		})
		all = append(all, some...)
	}
	return all
}

// Describe returns a text that says who holds which ports, as in "30000-30009 are held by FtpServer team-a/files;
// 30012 is held by Service shop/web". It lists the first five conflicts and the number of the others.
func Describe(conflicts []Conflict) string {
	const most = 5
	var parts []string
	for i, c := range conflicts {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(conflicts)-most))
			break
		}
		verb := "are"
		if len(c.Ports) == 1 {
			verb = "is"
		}
		parts = append(parts, fmt.Sprintf("%s %s held by %s", c.Ports, verb, c.Holder))
	}
	return strings.Join(parts, "; ")
}

// Fields returns the fields of the spec that the conflicts concern, each once.
func Fields(conflicts []Conflict) []string {
	var fields []string
	for _, c := range conflicts {
		if !slices.Contains(fields, c.Field) {
			fields = append(fields, c.Field)
		}
	}
	return fields
}
