package portrange

import (
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Demand describes the range to choose.
type Demand struct {
	// Count is the number of consecutive ports.
	Count int
	// Previous are the ports that the server has; Choose keeps as many of them as it can.
	Previous config.PortSet
	// Taken are the ports that the range must not contain.
	Taken config.PortSet
	// Within are the bounds of the range, in order of preference: the first with room is used.
	Within []config.Run
}

// Choose returns the range: the previous one, shortened or lengthened at its end or else at its start, if that is
// possible; otherwise the lowest free one. If there is none, it returns nil and the length of the longest free run.
func Choose(d Demand) (chosen config.PortSet, longest int) {
	if runs := d.Previous.Runs(); len(runs) == 1 {
		first, last := int(runs[0].First), int(runs[0].Last)
		for _, start := range []int{first, last - d.Count + 1} {
			if d.fits(start) {
				return rangeOf(start, d.Count), 0
			}
		}
	}
	for _, bounds := range d.Within {
		run := 0
		for port := int(bounds.First); port <= int(bounds.Last); port++ {
			if d.Taken.Contains(uint16(port)) { //nolint:gosec // a port
				run = 0
				continue
			}
			run++
			longest = max(longest, run)
			if run == d.Count {
				return rangeOf(port-d.Count+1, d.Count), 0
			}
		}
	}
	return nil, longest
}

// fits reports whether the range that begins at start is free and within one of the bounds.
func (d Demand) fits(start int) bool {
	end := start + d.Count - 1
	for _, bounds := range d.Within {
		if int(bounds.First) <= start && end <= int(bounds.Last) {
			return len(rangeOf(start, d.Count).Intersect(d.Taken)) == 0
		}
	}
	return false
}

func rangeOf(start, count int) config.PortSet {
	return config.PortRange(uint16(start), uint16(start+count-1)) //nolint:gosec // within bounds of ports
}
