package passhash

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting returns a cache whose hashes cost nothing, and the number of computations. The hash "h" is right for the
// password "h".
func counting(maxEntries int) (*Cache, *atomic.Int64) {
	c := NewCache(maxEntries)
	var n atomic.Int64
	c.compute = func(hash, password string) (bool, error) {
		n.Add(1)
		if hash == "malformed" {
			return false, errForm
		}
		return hash == password, nil
	}
	return c, &n
}

func TestCacheRemembersSuccessOnly(t *testing.T) {
	c, computed := counting(10)
	for _, step := range []struct {
		hash, password string
		ok             bool
		computed       int64
	}{
		{"a", "a", true, 1},
		{"a", "a", true, 1},
		{"a", "b", false, 2},
		{"a", "b", false, 3}, // a failure is not remembered
		{"b", "a", false, 4}, // another hash of the same password
		{"a", "a", true, 4},
		{"ab", "c", false, 5},
		{"a", "bc", false, 6}, // the boundary between hash and password matters
	} {
		ok, err := c.Verify(step.hash, step.password)
		if ok != step.ok || err != nil || computed.Load() != step.computed {
			t.Errorf("Verify(%q, %q) = %v, %v after %d computed; want %v after %d",
				step.hash, step.password, ok, err, computed.Load(), step.ok, step.computed)
		}
	}
	if _, err := c.Verify("malformed", "x"); !errors.Is(err, errForm) {
		t.Errorf("a malformed hash gives %v", err)
	}
}

func TestCacheWithRealHash(t *testing.T) {
	c := NewCache(1)
	for range 2 {
		if ok, err := c.Verify(foreignArgon2id, "password"); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if ok, err := c.Verify(foreignArgon2id, "passwort"); ok || err != nil {
		t.Fatal(ok, err)
	}
}

// The cache must hold no more than maxEntries.
func TestCacheIsBounded(t *testing.T) {
	c, computed := counting(2)
	for i, step := range []struct {
		password string
		computed int64
	}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"a", 3}, {"b", 4}} {
		if ok, err := c.Verify(step.password, step.password); !ok || err != nil || computed.Load() != step.computed {
			t.Errorf("step %d: %v, %v after %d computed, want %d", i, ok, err, computed.Load(), step.computed)
		}
	}
}

func TestCacheBoundsConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(100)
		var now, most, computed atomic.Int64
		c.compute = func(hash, password string) (bool, error) {
			computed.Add(1)
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-time.After(time.Second) // of the bubble's clock
			now.Add(-1)
			return true, nil
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if ok, err := c.Verify(fmt.Sprint("user", i), "x"); !ok || err != nil {
					t.Error(ok, err)
				}
			})
			wg.Go(func() { _ = c.Spend(t.Context(), "nobody", "x") })
		}
		wg.Wait()
		if int(most.Load()) != c.queue.slots {
			t.Errorf("%d at once, want %d", most.Load(), c.queue.slots)
		}
		if computed.Load() != 40 {
			t.Errorf("%d computed, want 40: Spend always pays", computed.Load())
		}
	})
}

// Concurrent logins of one client must compute at most as many hashes as there are slots.
func TestCacheSharesWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(100)
		var computed atomic.Int64
		c.compute = func(string, string) (bool, error) {
			computed.Add(1)
			<-time.After(time.Second) // of the bubble's clock
			return true, nil
		}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if ok, err := c.Verify("user", "x"); !ok || err != nil {
					t.Error(ok, err)
				}
			})
		}
		wg.Wait()
		if int(computed.Load()) > c.queue.slots {
			t.Errorf("%d computed for one password, want at most %d", computed.Load(), c.queue.slots)
		}
	})
}

func BenchmarkCacheHit(b *testing.B) {
	c := NewCache(10)
	if ok, err := c.Verify(foreignArgon2id, "password"); !ok || err != nil {
		b.Fatal(ok, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := c.Verify(foreignArgon2id, "password"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
