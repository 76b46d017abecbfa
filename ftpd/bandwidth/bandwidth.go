// Package bandwidth bounds the rates of transfers, per session, per user and for the whole server, separately for
// each direction. Start reading at Shaper and Flow. The package imports config of this module.
//
// A transfer asks how much it may move at once (Flow.Chunk), moves that by any means, and then pays for it by waiting
// (Flow.Pay). So sendfile and splice, which bypass the program's buffers, can be bounded, too. A chunk is about a
// tenth of a second's worth of the rate, shared by the transfers that run, so that rates are even. Without a bound a
// chunk is as large as the transfer wants, and the check costs a few loads from memory.
package bandwidth

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

const (
	// chunksPerSecond is the target number of chunks per second.
	chunksPerSecond = 10
	// least is the size in bytes of the smallest chunk, since system calls have a price. It does not apply if it
	// would take more than a second.
	least = 8 << 10
	// most is the size in bytes of the largest chunk.
	most = 4 << 20
)

// quantum returns the size of the chunks, in bytes, of one of several transfers that share a rate, in bytes per
// second.
func quantum(rate, transfers int64) int64 {
	share := rate / chunksPerSecond / max(transfers, 1)
	return max(min(share, most), min(least, rate), 1)
}

// bucket bounds the rate of the bytes that pass through it, in one direction.
type bucket struct {
	bound     atomic.Pointer[bound] // nil if there is no bound
	transfers atomic.Int64          // the number of transfers that use it now
}

// bound is a rate that is in force, in bytes per second. A change of the rate makes a new bound, without the old
// one's debts.
type bound struct {
	rate    int64
	limiter *rate.Limiter
}

func newBucket(r int64) *bucket {
	b := new(bucket)
	b.set(r)
	return b
}

// set changes the rate, in bytes per second; 0 removes the bound.
func (b *bucket) set(r int64) {
	switch old := b.bound.Load(); {
	case r == 0:
		b.bound.Store(nil)
	case old == nil || old.rate != r:
		b.bound.Store(&bound{r, rate.NewLimiter(rate.Limit(r), int(quantum(r, 1)))})
	}
}

// pay takes n bytes from the bucket and returns how long the caller has to wait for them.
func (b *bucket) pay(now time.Time, n int64) time.Duration {
	in := b.bound.Load()
	if in == nil {
		return 0
	}
	var wait time.Duration
	for n > 0 {
		part := min(n, int64(in.limiter.Burst())) // a chunk that was moved before the bound was set may be larger
		wait = in.limiter.ReserveN(now, int(part)).DelayFrom(now)
		n -= part
	}
	return wait
}

// pair holds the buckets of the two directions.
type pair struct{ up, down *bucket }

func newPair(r config.Rates) pair { return pair{newBucket(r.Up), newBucket(r.Down)} }

func (p pair) set(r config.Rates) {
	p.up.set(r.Up)
	p.down.set(r.Down)
}

func (p pair) way(up bool) *bucket {
	if up {
		return p.up
	}
	return p.down
}

// Shaper holds the bounds of a server. It is safe for concurrent use.
type Shaper struct {
	server pair

	mu       sync.Mutex
	cfg      config.Bandwidth
	users    map[string]*user
	sessions map[*Session]struct{}
	changed  chan struct{} // closed when the bounds change, and replaced
}

// user holds the bounds that the sessions of a user share.
type user struct {
	pair
	sessions int
}

// New returns a Shaper without bounds.
func New() *Shaper {
	return &Shaper{
		server:   newPair(config.Rates{}),
		users:    map[string]*user{},
		sessions: map[*Session]struct{}{},
		changed:  make(chan struct{}),
	}
}

// Set puts bounds in force, also for running transfers. Transfers that wait continue at once.
func (s *Shaper) Set(cfg config.Bandwidth) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cfg == s.cfg {
		return
	}
	s.cfg = cfg
	s.server.set(cfg.Server)
	for _, u := range s.users {
		u.set(cfg.User)
	}
	for session := range s.sessions {
		session.own.set(cfg.Session)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// wake returns a channel that is closed when the bounds change.
func (s *Shaper) wake() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Session holds the bounds of one session of a user who is logged in.
type Session struct {
	shaper *Shaper
	name   string
	user   *user
	own    pair
}

// Session starts a session of a user. The caller must end it with Close.
func (s *Shaper) Session(name string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[name]
	if u == nil {
		u = &user{pair: newPair(s.cfg.User)}
		s.users[name] = u
	}
	u.sessions++
	session := &Session{shaper: s, name: name, user: u, own: newPair(s.cfg.Session)}
	s.sessions[session] = struct{}{}
	return session
}

// Close ends the session. It may be called again. Bounds continue to apply to a transfer that still runs.
func (x *Session) Close() {
	s := x.shaper
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.sessions[x]; !open {
		return
	}
	delete(s.sessions, x)
	if x.user.sessions--; x.user.sessions == 0 {
		delete(s.users, x.name)
	}
}

// Flow starts a transfer, from the client (up) or to it. The caller must end it with Close.
func (x *Session) Flow(up bool) *Flow {
	f := &Flow{shaper: x.shaper, buckets: [...]*bucket{x.own.way(up), x.user.way(up), x.shaper.server.way(up)}}
	for _, b := range f.buckets {
		b.transfers.Add(1)
	}
	return f
}

// Flow is a transfer. Only one goroutine may use it. A nil Flow has no bounds.
type Flow struct {
	shaper  *Shaper
	buckets [3]*bucket
}

// Close ends the transfer. It must be called only once.
func (f *Flow) Close() {
	if f == nil {
		return
	}
	for _, b := range f.buckets {
		b.transfers.Add(-1)
	}
}

// Chunk returns how many bytes may move before the next Pay: at least 1 and at most n.
func (f *Flow) Chunk(n int64) int64 {
	if f == nil {
		return n
	}
	for _, b := range f.buckets {
		if in := b.bound.Load(); in != nil {
			n = min(n, quantum(in.rate, b.transfers.Load()))
		}
	}
	return n
}

// Pay waits for the time that moving n bytes takes at the bounded rates. If ctx ends first, it returns the cause of
// ctx. If the bounds change, it returns nil at once.
func (f *Flow) Pay(ctx context.Context, n int64) error {
	if f == nil || n <= 0 || !f.Bounded() {
		return nil
	}
	wake, now := f.shaper.wake(), time.Now()
	var wait time.Duration
	for _, b := range f.buckets {
		wait = max(wait, b.pay(now, n))
	}
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-wake:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Bounded reports whether any bound applies now.
func (f *Flow) Bounded() bool {
	if f == nil {
		return false
	}
	for _, b := range f.buckets {
		if b.bound.Load() != nil {
			return true
		}
	}
	return false
}
