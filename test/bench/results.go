package main

import (
	"slices"
)

// results are the samples, by metric and server.
type results struct {
	samples map[string]map[string][]float64
	notes   map[string]map[string]string // why there are no samples
	rounds  map[turn]float64             // the samples by round
}

// turn is one measurement: the metric and the server, in a round.
type turn struct {
	metric, server string
	round          int
}

func newResults() *results {
	return &results{samples: map[string]map[string][]float64{}, notes: map[string]map[string]string{}, rounds: map[turn]float64{}}
}

// pair notes the round of a sample, for pairs.
func (r *results) pair(metric, server string, round int, v float64) {
	r.rounds[turn{metric, server, round}] = v
}

// pairs compares two servers round by round: a ratio above 1 means that the first one is better. The two had their turns
// within the same minute, so the machine was the same to both. A round in which one of the two failed is no pair.
func (r *results) pairs(m metric, server, base string, rounds int) summary {
	var ratios []float64
	for round := range rounds {
		own, before := r.rounds[turn{m.id, server, round}], r.rounds[turn{m.id, base, round}]
		switch {
		case own == 0 || before == 0:
		case m.less:
			ratios = append(ratios, before/own)
		default:
			ratios = append(ratios, own/before)
		}
	}
	return summarize(ratios)
}

func (r *results) add(metric, server string, v float64) {
	if r.samples[metric] == nil {
		r.samples[metric] = map[string][]float64{}
	}
	r.samples[metric][server] = append(r.samples[metric][server], v)
}

func (r *results) note(metric, server, text string) {
	if r.notes[metric] == nil {
		r.notes[metric] = map[string]string{}
	}
	r.notes[metric][server] = text
}

// summary is the median, the range and the number of samples.
type summary struct {
	median, low, high float64
	n                 int
}

func summarize(samples []float64) summary {
	if len(samples) == 0 {
		return summary{}
	}
	sorted := slices.Sorted(slices.Values(samples))
	n := len(sorted)
	return summary{median: (sorted[(n-1)/2] + sorted[n/2]) / 2, low: sorted[0], high: sorted[n-1], n: n}
}

func (r *results) of(metric, server string) summary { return summarize(r.samples[metric][server]) }

// best returns the best median of some servers; ok is false if there is none.
func (r *results) best(m metric, servers []string) (best float64, who string, ok bool) {
	for _, name := range servers {
		s := r.of(m.id, name)
		if s.n == 0 {
			continue
		}
		if !ok || m.less && s.median < best || !m.less && s.median > best {
			best, who, ok = s.median, name, true
		}
	}
	return best, who, ok
}

// ratio compares a server with the best of others, round by round as pairs does, or by the medians where there are no
// rounds. ok is false if either was not measured.
func (r *results) ratio(m metric, server string, others []string, rounds int) (ratio summary, ok bool) {
	own := r.of(m.id, server)
	best, who, ok := r.best(m, others)
	if !ok || own.n == 0 || own.median == 0 || best == 0 {
		return summary{}, false
	}
	if s := r.pairs(m, server, who, rounds); s.n > 0 {
		return s, true
	}
	if m.less {
		return summarize([]float64{best / own.median}), true
	}
	return summarize([]float64{own.median / best}), true
}
