package passive

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// Each reservation is looked at when its time has come: not before, not twice, and not if it was dropped.
func TestAlarms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) [3]int {
			return [3]int{rapid.IntRange(0, 2).Draw(rt, "what"), rapid.IntRange(0, 7).Draw(rt, "which"), rapid.IntRange(1, 9).Draw(rt, "seconds")}
		}), 1, 40).Draw(rt, "steps")
		synctest.Test(t, func(*testing.T) {
			p := newPool(nil, nil)
			rung := map[*Reservation][]time.Time{}
			p.alarms.ring = func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				for _, r := range p.alarms.take(time.Now()) {
					rung[r] = append(rung[r], time.Now())
				}
			}
			all := make([]*Reservation, 8)
			want, due := map[*Reservation][]time.Time{}, map[*Reservation]time.Time{}
			for i := range all {
				all[i] = &Reservation{}
			}
			pass := func(d time.Duration) {
				for r, at := range due {
					if !at.After(time.Now().Add(d)) {
						want[r] = append(want[r], at)
						delete(due, r)
					}
				}
				time.Sleep(d)
				synctest.Wait()
			}
			for _, step := range steps {
				r, d := all[step[1]], time.Duration(step[2])*time.Second
				p.mu.Lock()
				switch step[0] {
				case 0:
					due[r] = time.Now().Add(d)
					p.alarms.put(r, due[r])
				case 1:
					delete(due, r)
					p.alarms.drop(r)
				}
				p.mu.Unlock()
				if step[0] == 2 {
					pass(d)
				}
			}
			pass(time.Minute)
			for i, r := range all {
				if len(rung[r]) != len(want[r]) {
					rt.Errorf("%d: looked at %v, want %v", i, rung[r], want[r])
					return
				}
				for j := range want[r] {
					if !rung[r][j].Equal(want[r][j]) {
						rt.Errorf("%d: looked at %v, want %v", i, rung[r], want[r])
					}
				}
			}
		})
	})
}
