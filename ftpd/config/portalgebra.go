package config

// Run is a sequence of consecutive ports from First to Last, both inclusive.
type Run struct {
	First, Last uint16
}

// Runs returns the smallest number of runs that make up the set, lowest first.
func (s PortSet) Runs() []Run {
	var runs []Run
	for _, p := range s {
		if n := len(runs); n > 0 && runs[n-1].Last+1 == p {
			runs[n-1].Last = p
			continue
		}
		runs = append(runs, Run{First: p, Last: p})
	}
	return runs
}

// Union returns the ports that are in s or in t.
func (s PortSet) Union(t PortSet) PortSet {
	all := make([]uint16, 0, len(s)+len(t))
	return NewPortSet(append(append(all, s...), t...)...)
}

// Minus returns the ports of s that are not in t.
func (s PortSet) Minus(t PortSet) PortSet {
	var left PortSet
	for _, p := range s {
		if !t.Contains(p) {
			left = append(left, p)
		}
	}
	return left
}

// Intersect returns the ports that are in both s and t.
func (s PortSet) Intersect(t PortSet) PortSet {
	var both PortSet
	for _, p := range s {
		if t.Contains(p) {
			both = append(both, p)
		}
	}
	return both
}
