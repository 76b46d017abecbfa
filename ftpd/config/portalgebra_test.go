package config

import (
	"testing"

	"pgregory.net/rapid"
)

var anySet = rapid.Custom(func(t *rapid.T) PortSet {
	edges := rapid.SampledFrom([]uint16{1024, 1025, 30000, 30001, 30002, 30005, 65534, 65535})
	return NewPortSet(rapid.SliceOf(edges).Draw(t, "ports")...)
})

// Union, difference and intersection must be those of sets, and change neither operand.
func TestPortAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, u := anySet.Draw(t, "s"), anySet.Draw(t, "u")
		before := s.String() + " " + u.String()
		union, minus, both := s.Union(u), s.Minus(u), s.Intersect(u)
		for port := MinPassivePort; port <= MaxPassivePort; port++ {
			p := uint16(port)
			inS, inU := s.Contains(p), u.Contains(p)
			if union.Contains(p) != (inS || inU) || minus.Contains(p) != (inS && !inU) || both.Contains(p) != (inS && inU) {
				t.Fatalf("port %d of %s and %s: union %s, difference %s, intersection %s", p, s, u, union, minus, both)
			}
		}
		if after := s.String() + " " + u.String(); after != before {
			t.Fatalf("%s became %s", before, after)
		}
	})
}

// The runs must contain every port once, and no two runs may touch.
func TestRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySet.Draw(t, "s")
		var all PortSet
		last := -1
		for _, run := range s.Runs() {
			if int(run.First) <= last+1 || run.Last < run.First {
				t.Fatalf("%s: run %d-%d after %d", s, run.First, run.Last, last)
			}
			last = int(run.Last)
			all = append(all, PortRange(run.First, run.Last)...)
		}
		if !all.Equal(s) {
			t.Fatalf("the runs of %s are %s", s, all)
		}
	})
}
