package passhash

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// argon2idOf returns a hash, of nothing, that needs so many KiB.
func argon2idOf(memory int) string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g", memory)
}

func TestMemory(t *testing.T) {
	own, err := Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	for hash, want := range map[string]int64{
		own:               19 << 20,
		argon2idOf(65536): 64 << 20,
		argon2idOf(8):     8 << 10,
		"$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy": littleMemory,
		argon2idOf(1 << 20): littleMemory, // such a hash is refused, not computed
		"":                  littleMemory,
	} {
		if got := Memory(hash); got != want {
			t.Errorf("Memory(%q) = %d, want %d", hash, got, want)
		}
	}
}

// Computations must never use more memory together than the limit, with the garbage of earlier ones, whichever wait
// or are cancelled. Each that fits must get its turn, in order.
func TestQueueMemory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		slots := rapid.IntRange(1, 5).Draw(rt, "slots")
		memory := rapid.Int64Range(1, 20).Draw(rt, "memory")
		needs := rapid.SliceOfN(rapid.Int64Range(1, 22), 1, 10).Draw(rt, "needs")
		gone := rapid.SliceOfN(rapid.Bool(), len(needs), len(needs)).Draw(rt, "gone")
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(slots)
			q.bound(slots, memory)
			var mu sync.Mutex
			var used, garbage int64
			running, done := 0, 0
			q.collect = func() {
				mu.Lock()
				collected := garbage
				mu.Unlock()
				time.Sleep(time.Millisecond) // meanwhile some more end
				mu.Lock()
				garbage -= collected
				mu.Unlock()
			}
			var all sync.WaitGroup
			fits := 0
			for i, need := range needs {
				if need <= memory && !gone[i] {
					fits++
				}
				ctx, cancel := context.WithCancel(t.Context())
				if gone[i] {
					time.AfterFunc(time.Duration(i)*time.Millisecond, cancel)
				}
				all.Go(func() {
					defer cancel()
					err := q.enter(ctx, need)
					if (need > memory) != errors.Is(err, ErrTooLarge) || err != nil && need <= memory && !gone[i] {
						rt.Errorf("%d of %d: %v", need, memory, err)
					}
					if err != nil {
						return
					}
					mu.Lock()
					used += need
					running++
					if used+garbage > memory || running > slots {
						rt.Errorf("%d hashes with %d, and %d of garbage, at once", running, used, garbage)
					}
					mu.Unlock()
					time.Sleep(time.Duration(need) * time.Millisecond)
					mu.Lock()
					used -= need
					garbage += need
					running--
					if !gone[i] {
						done++
					}
					mu.Unlock()
					q.leave(need)
				})
			}
			all.Wait()
			time.Sleep(time.Second) // for the last garbage, and for those that were cancelled
			if done != fits || q.running != 0 || q.used != 0 || q.waiting.Len() != 0 {
				rt.Errorf("%d of %d were computed; %d run, %d used, %d wait", done, fits, q.running, q.used, q.waiting.Len())
			}
		})
	})
}

// Waiting computations must get their turns in the order of arrival: small hashes must not overtake a large one.
func TestQueueOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2)
		q.bound(2, 10)
		if err := q.enter(t.Context(), 6); err != nil {
			t.Fatal(err)
		}
		var order []int64
		var all sync.WaitGroup
		for _, need := range []int64{9, 7, 6} {
			all.Go(func() {
				if err := q.enter(t.Context(), need); err != nil {
					t.Error(err)
				}
				order = append(order, need)
				q.leave(need)
			})
			synctest.Wait()
		}
		q.leave(6)
		all.Wait()
		if fmt.Sprint(order) != "[9 7 6]" {
			t.Errorf("%v", order)
		}
	})
}

// The memory of hashes must go back to the system once no hash was computed for a while, and not before. Small hashes
// are not worth it.
func TestQueueGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2)
		var releases atomic.Int64
		q.release = func() { releases.Add(1) }
		compute := func(need int64, took time.Duration) {
			if err := q.enter(t.Context(), need); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(took)
			q.leave(need)
		}
		for range 20 { // never at rest
			compute(worthReleasing, time.Second)
			time.Sleep(restTime / 2)
		}
		go compute(worthReleasing, 10*restTime)
		time.Sleep(9 * restTime)
		if n := releases.Load(); n != 0 {
			t.Fatalf("released %d times while hashes were computed", n)
		}
		time.Sleep(3 * restTime)
		if n := releases.Load(); n != 1 {
			t.Fatalf("released %d times at rest, want once", n)
		}
		compute(littleMemory, time.Second)
		time.Sleep(2 * restTime)
		if releases.Load() != 1 {
			t.Fatal("released for a hash that takes little memory")
		}
	})
}

// A cache with a memory limit must refuse a hash that can never be verified, and verify large ones one by one.
func TestCacheBoundsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(100)
		c.Bound(4, 40<<20)
		var now, most atomic.Int64
		c.compute = func(hash, password string) (bool, error) {
			if n := now.Add(Memory(hash)); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-Memory(hash))
			return false, nil
		}
		if _, err := c.Verify(argon2idOf(65536), "x"); !errors.Is(err, ErrTooLarge) {
			t.Errorf("64 MiB of 40: %v", err)
		}
		if err := c.Spend(t.Context(), argon2idOf(65536), "x"); !errors.Is(err, ErrTooLarge) {
			t.Errorf("64 MiB of 40: %v", err)
		}
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				if _, err := c.Verify(argon2idOf([]int{38 << 10, 19 << 10, 8}[i%3]), fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if most.Load() > 40<<20 || most.Load() < 38<<20 {
			t.Errorf("%d MiB at once", most.Load()>>20)
		}
	})
}
