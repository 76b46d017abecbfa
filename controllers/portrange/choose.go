package portrange

import (
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Demand is what a range is chosen for.
type Demand struct {
	// Count is the number of ports, which follow one another.
	Count int
	// Previous are the ports that the server has: as many of them stay as can.
	Previous config.PortSet
	// Taken are the ports that the range must not hold.
	Taken config.PortSet
	// Within are the bounds: the first in which there is room is used.
	Within []config.Run
}

// Choose returns the range: the previous one, cut or lengthened at its end or else at its start, if
// that can be; otherwise the lowest that is free. Where there is none it returns nil and the length
// of the longest run that is free.
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

// fits reports whether the range from start on is within one of the bounds and free.
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
