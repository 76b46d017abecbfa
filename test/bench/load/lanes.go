package load

import (
	"errors"
	"sync"
	"time"
)

// Lanes runs do in n lanes at the same time and returns the errors of all lanes, joined.
func Lanes(n int, do func(lane int) error) error {
	errs := make([]error, n)
	var lanes sync.WaitGroup
	for lane := range n {
		lanes.Go(func() { errs[lane] = do(lane) })
	}
	lanes.Wait()
	return errors.Join(errs...)
}

// Rate repeats do in the given number of lanes for the time d, at least once in each lane, and returns how many calls
// were made per second, and how many in all. i is the number of the call within its lane.
func Rate(lanes int, d time.Duration, do func(lane, i int) error) (rate float64, calls int, err error) {
	counts := make([]int, lanes)
	start := time.Now()
	end := start.Add(d)
	err = Lanes(lanes, func(lane int) error {
		for {
			if err := do(lane, counts[lane]); err != nil {
				return err
			}
			counts[lane]++
			if !time.Now().Before(end) {
				return nil
			}
		}
	})
	took := time.Since(start)
	for _, n := range counts {
		calls += n
	}
	return float64(calls) / took.Seconds(), calls, err
}
