package bans

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Of any number of simultaneous guesses, only as many run as may fail before the ban. When it has begun, Enter lets
// the others through, to be refused without being tried.
func TestGuessesAtOnce(t *testing.T) {
	for _, who := range []Subject{Address(addr("192.0.2.1")), User("alice")} {
		for _, failures := range []int{1, 2, 10} {
			synctest.Test(t, func(t *testing.T) {
				l := New(nil)
				l.Set(rules(failures), nil)
				l.Report(who, UnknownCommand) // a small count exists already
				var running, most, tried atomic.Int64
				var wg sync.WaitGroup
				for i := range 1000 {
					wg.Go(func() {
						leave, err := l.Enter(t.Context(), who)
						if err != nil {
							t.Error(err)
							return
						}
						defer leave()
						if _, banned := l.Banned(who); banned {
							return
						}
						tried.Add(1)
						if n := running.Add(1); n > most.Load() {
							most.Store(n)
						}
						time.Sleep(time.Millisecond) // time of the synctest bubble: all the others have arrived meanwhile
						running.Add(-1)
						l.ReportLogin(who, "alice", fmt.Sprint(i))
					})
				}
				wg.Wait()
				if n := tried.Load(); n != int64(failures) || most.Load() != n {
					t.Errorf("%s: %d tried, %d of them at once, with a ban after %d", who, n, most.Load(), failures)
				}
				if len(l.guesses) != 0 {
					t.Errorf("%d subjects still try", len(l.guesses))
				}
			})
		}
	}
}

// Right passwords, and failures that don't count, only wait for each other.
func TestGuessesThatAreRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(nil)
		l.Set(rules(3), nil)
		who := Address(addr("192.0.2.1"))
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				leave, err := l.Enter(t.Context(), who)
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Second)
				leave()
				leave() // a second call does nothing
			})
		}
		began := time.Now()
		wg.Wait()
		if took := time.Since(began); took != 34*time.Second {
			t.Errorf("100 logins of a second, three at a time, took %v", took)
		}
		if _, banned := l.Banned(who); banned || len(l.guesses) != 0 {
			t.Errorf("banned %v, %d still try", banned, len(l.guesses))
		}
	})
}

// A guess whose session ends leaves the queue. Without bans no guess waits.
func TestGuessGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(nil)
		l.Set(rules(1), nil)
		who := User("alice")
		leave, err := l.Enter(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error)
		go func() {
			_, err := l.Enter(ctx, who)
			ended <- err
		}()
		synctest.Wait()
		cancel(gone)
		if err := <-ended; !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
		next := make(chan func())
		go func() {
			leave, _ := l.Enter(t.Context(), who)
			next <- leave
		}()
		synctest.Wait()
		leave()
		(<-next)()
		if len(l.guesses) != 0 {
			t.Error("somebody still tries")
		}
		off := rules(1)
		disabled := false
		off.Enabled = &disabled
		l.Set(off, nil)
		for range 10 {
			if _, err := l.Enter(t.Context(), who); err != nil {
				t.Error(err)
			}
		}
	})
}
