package load

import (
	"strings"
	"testing"
)

func TestTrace(t *testing.T) {
	up := func(path, port string) Transfer {
		return Transfer{Upload: true, Path: path, Address: "203.0.113.1:" + port, Outcome: Completed}
	}
	down := func(path, port string) Transfer {
		return Transfer{Path: path, Address: "203.0.113.1:" + port, Outcome: Completed}
	}
	report := &Report{Sessions: []Session{
		{ID: 1, Transfers: []Transfer{up("a", "30000"), down("a", "30001"), {Path: "b", Outcome: Failed}}},
		{ID: 2, Transfers: []Transfer{up("dir/c", "30010"), down("a", "30011")}},
		{ID: 3, Refusals: []Refusal{{}}},
	}}
	logs := func() []PodLog {
		return []PodLog{
			{Pod: "x", Ports: []uint16{30000, 30001}, Sessions: map[uint64][]Line{
				1: {{true, "/a", 30000}, {false, "/a", 30001}},
				2: {{false, "/other", 30001}},
			}},
			{Pod: "y", Ports: []uint16{30010, 30011}, Sessions: map[uint64][]Line{
				1: {{true, "/dir/c", 30010}, {false, "/a", 30011}},
			}},
		}
	}
	for name, c := range map[string]struct {
		change func(l []PodLog)
		want   string
	}{
		"all is well":                          {func([]PodLog) {}, ""},
		"another port":                         {func(l []PodLog) { l[0].Sessions[1][1].Port = 30000 }, "session 1 on pod x: the client had"},
		"a port that is not the pod's":         {func(l []PodLog) { l[1].Ports = []uint16{30010} }, "session 2 on pod y: port 30011 is not the pod's"},
		"a transfer seen by nobody":            {func(l []PodLog) { l[1].Sessions[1] = l[1].Sessions[1][:1] }, "session 2 on pod y: the client had"},
		"an upload seen by nobody":             {func(l []PodLog) { delete(l[1].Sessions, 1) }, "session 2: /dir/c was logged 0 times"},
		"an upload seen twice":                 {func(l []PodLog) { l[1].Sessions[9] = l[0].Sessions[1] }, "session 1: /a was logged 2 times"},
		"a transfer that was another's":        {func(l []PodLog) { l[0].Sessions[1][1].Path = "/other" }, "session 1 on pod x: the client had"},
		"a transfer of another's, in addition": {func(l []PodLog) { l[0].Sessions[1] = append(l[0].Sessions[1], l[0].Sessions[2]...) }, "session 1 on pod x: the client had"},
	} {
		l := logs()
		c.change(l)
		got := Trace(report, l)
		if c.want == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || c.want == "" || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
