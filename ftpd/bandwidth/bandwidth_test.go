package bandwidth

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// move moves n bytes like a transfer, in chunks of at most 4 MiB, and returns the number of chunks.
func move(t testing.TB, f *Flow, n int64) (goes int) {
	t.Helper()
	for n > 0 {
		chunk := f.Chunk(min(n, 4<<20))
		if chunk < 1 || chunk > n {
			t.Fatalf("a go of %d with %d left", chunk, n)
		}
		if err := f.Pay(t.Context(), chunk); err != nil {
			t.Fatal(err)
		}
		n -= chunk
		goes++
	}
	return goes
}

func both(rate int64) config.Rates { return config.Rates{Up: rate, Down: rate} }

// near fails unless got is want, give or take what a full bucket allows at the start.
func near(t testing.TB, what string, got time.Duration, seconds int) {
	t.Helper()
	want := time.Duration(seconds) * time.Second
	if got > want+time.Second/chunksPerSecond || got < want-2*time.Second/chunksPerSecond {
		t.Errorf("%s took %v, want %v", what, got, want)
	}
}

// Each bound applies to its session, user or server, and only in its direction.
func TestBounds(t *testing.T) {
	const rate = 1 << 20
	for name, c := range map[string]struct {
		bounds                            config.Bandwidth
		alone, sameUser, sameServer, down int // in seconds, for 10 MiB each
	}{
		"none":    {config.Bandwidth{}, 0, 0, 0, 0},
		"session": {config.Bandwidth{Session: both(rate)}, 10, 10, 10, 10},
		"user":    {config.Bandwidth{User: both(rate)}, 10, 20, 10, 10},
		"server":  {config.Bandwidth{Server: both(rate)}, 10, 20, 20, 10},
		"up":      {config.Bandwidth{Server: config.Rates{Up: rate}}, 10, 20, 20, 0},
		"least":   {config.Bandwidth{Server: both(rate), User: both(3 * rate), Session: both(rate / 2)}, 20, 20, 20, 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New()
				s.Set(c.bounds)
				alice, again, bob := s.Session("alice"), s.Session("alice"), s.Session("bob")
				run := func(up bool, sessions ...*Session) time.Duration {
					start := time.Now()
					var all sync.WaitGroup
					for _, x := range sessions {
						all.Go(func() {
							f := x.Flow(up)
							defer f.Close()
							move(t, f, 10<<20)
						})
					}
					all.Wait()
					return time.Since(start)
				}
				near(t, "one", run(true, alice), c.alone)
				near(t, "two of one user", run(true, alice, again), c.sameUser)
				near(t, "two users", run(true, alice, bob), c.sameServer)
				near(t, "one down", run(false, alice), c.down)
				for _, x := range []*Session{alice, again, bob, bob} {
					x.Close()
				}
				if len(s.users) != 0 || len(s.sessions) != 0 || s.server.up.transfers.Load() != 0 {
					t.Errorf("left: %v, %v", s.users, s.sessions)
				}
			})
		})
	}
}

// A bound that is set, changed or removed applies to the running transfer at once.
func TestChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		f := s.Session("alice").Flow(false)
		if n := f.Chunk(4 << 20); n != 4<<20 {
			t.Errorf("without a bound a go is %d", n)
		}
		s.Set(config.Bandwidth{User: both(1 << 20)})
		start := time.Now()
		if err := f.Pay(t.Context(), 4<<20); err != nil { // moved before the bound was set
			t.Fatal(err)
		}
		near(t, "what was under way", time.Since(start), 4)
		start = time.Now()
		move(t, f, 5<<20)
		near(t, "the rest", time.Since(start), 5)

		s.Set(config.Bandwidth{Session: both(1024)})
		start = time.Now()
		go func() {
			<-time.After(time.Minute)
			s.Set(config.Bandwidth{})
		}()
		move(t, f, 1<<30)
		if took := time.Since(start); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("after the bound was lifted it went on after %v", took)
		}
	})
}

func TestAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		s.Set(config.Bandwidth{Server: both(1024)})
		f := s.Session("alice").Flow(true)
		defer f.Close()
		cause := errors.New("aborted")
		ctx, cancel := context.WithCancelCause(t.Context())
		start := time.Now()
		go func() {
			<-time.After(3 * time.Second)
			cancel(cause)
		}()
		if err := f.Pay(ctx, 1<<20); !errors.Is(err, cause) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// Chunks are small enough for an even rate and large enough to be worth a system call.
func TestQuantum(t *testing.T) {
	for _, c := range []struct{ rate, transfers, want int64 }{
		{1024, 1, 1024}, {1024, 100, 1024}, {64 << 10, 1, 8 << 10}, {1 << 20, 1, 104857}, {1 << 20, 1000, 8 << 10},
		{10 << 20, 10, 104857}, {1 << 40, 1, 4 << 20}, {1, 1, 1}, {1 << 20, 0, 104857},
	} {
		if got := quantum(c.rate, c.transfers); got != c.want {
			t.Errorf("quantum(%d, %d) = %d, want %d", c.rate, c.transfers, got, c.want)
		}
	}
	var none *Flow
	if none.Chunk(7) != 7 || none.Pay(t.Context(), 7) != nil {
		t.Error("a flow that is not there has bounds")
	}
	none.Close()
}

// At no time was more moved than the rate allows since the start, apart from one chunk of each transfer at the start
// and what the bucket holds.
func TestNeverFaster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Range(1024, 100<<20).Draw(t, "rate")
		transfers := rapid.IntRange(1, 5).Draw(t, "transfers")
		size := rapid.Int64Range(1, 20*rate).Draw(t, "size")
		start := time.Now() // the real clock: the test only asks the bucket and does not wait
		b := newBucket(rate)
		now, moved := start, int64(0)
		f := &Flow{buckets: [3]*bucket{newBucket(0), newBucket(0), b}}
		b.transfers.Store(int64(transfers))
		for moved < size {
			n := f.Chunk(min(size-moved, 4<<20))
			moved += n
			now = now.Add(b.pay(now, n))
			if allowed := now.Sub(start).Seconds()*float64(rate) + float64(quantum(rate, 1)) + 1; float64(moved) > allowed {
				t.Fatalf("%d bytes in %v at %d bytes a second", moved, now.Sub(start), rate)
			}
		}
		if want := time.Duration(float64(size) / float64(rate) * float64(time.Second)); now.Sub(start) > want+time.Millisecond {
			t.Fatalf("%d bytes took %v at %d bytes a second", size, now.Sub(start), rate)
		}
	})
}

func BenchmarkUnbounded(b *testing.B) {
	f := New().Session("alice").Flow(true)
	b.ReportAllocs()
	for b.Loop() {
		_ = f.Pay(b.Context(), f.Chunk(4<<20))
	}
}
