package fair

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// One user's crowd leaves room for the next user. Requests beyond the crowd's share wait, and fail with ErrBusy in
// time.
func TestCrowdLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(8)
		var crowd []*Place
		for range 4 {
			pl, err := p.Enter(t.Context(), "crowd", time.Second)
			if err != nil {
				t.Fatal(err)
			}
			crowd = append(crowd, pl)
		}
		began := time.Now()
		if _, err := p.Enter(t.Context(), "crowd", time.Second); !errors.Is(err, ErrBusy) || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		for i := range 4 {
			if _, err := p.Enter(t.Context(), fmt.Sprint("user ", i), 0); err != nil {
				t.Errorf("user %d: %v", i, err)
			}
		}
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		if _, err := p.Enter(ctx, "late", time.Hour); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
		for _, pl := range crowd {
			pl.Leave()
			pl.Leave()
		}
		if p.taken != 4 || len(p.users) != 4 || p.ring.Len() != 0 {
			t.Errorf("%d taken, %d users, %d wait", p.taken, len(p.users), p.ring.Len())
		}
	})
}

// Callers that yield share time: after a hundred jobs of one user, each of which would take an hour, the job of
// another user is done soon. The jobs of each user come in the order in which they were requested.
func TestYieldSharesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				pl, err := p.Enter(ctx, "crowd", time.Hour)
				for err == nil {
					time.Sleep(10 * time.Millisecond)
					err = pl.Yield(ctx)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		pl, err := p.Enter(t.Context(), "other", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 { // a second of work
			time.Sleep(10 * time.Millisecond)
			if err := pl.Yield(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		pl.Leave()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("a second of work took %v", took)
		}
		cancel()
		wg.Wait()
		if p.taken != 0 || len(p.users) != 0 {
			t.Errorf("%d are taken, by %d users", p.taken, len(p.users))
		}
	})
}

// Places never grants more places than there are, nor more to a user than its share at that time (unless it is one).
// A place is never free while a user waits that may have it. In the end no state is left.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 6).Draw(t, "size")
		p := New(size)
		names := []string{"a", "b", "c"}
		ctx, cancel := context.WithCancel(context.Background())
		var mu sync.Mutex
		var held []*Place
		var wg sync.WaitGroup
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				name := rapid.SampledFrom(names).Draw(t, "user")
				wg.Go(func() {
					if pl, err := p.Enter(ctx, name, time.Hour); err == nil {
						mu.Lock()
						held = append(held, pl)
						mu.Unlock()
					}
				})
			},
			"leave": func(t *rapid.T) {
				mu.Lock()
				defer mu.Unlock()
				if len(held) > 0 {
					i := rapid.IntRange(0, len(held)-1).Draw(t, "place")
					held[i].Leave()
					held = append(held[:i], held[i+1:]...)
				}
			},
			"resize": func(t *rapid.T) { p.Resize(rapid.IntRange(1, 6).Draw(t, "size")) },
			"": func(t *rapid.T) {
				p.mu.Lock()
				defer p.mu.Unlock()
				sum := 0
				for _, u := range p.users {
					sum += u.taken
					if (u.waiting.Len() > 0) != (u.turn != nil) || u.waiting.Len() == 0 && u.taken == 0 {
						t.Fatalf("%s waits and has no turn, or the reverse, or is not wanted any more", u.name)
					}
				}
				if sum != p.taken || p.taken > 6 {
					t.Fatalf("%d are taken, of users %d", p.taken, sum)
				}
				if p.taken < p.size && p.next() != nil {
					t.Fatal("a place is free that somebody waits for")
				}
			},
		})
		cancel()
		wg.Wait()
		for _, pl := range held {
			pl.Leave()
		}
		if p.taken != 0 || len(p.users) != 0 || p.ring.Len() != 0 {
			t.Fatalf("left: %d taken, %d users", p.taken, len(p.users))
		}
	})
}
