// Package bandwidth bounds the rates at which transfers move, per session, user and server, each
// way apart.
//
// A transfer asks how much it may move in one go, moves that by whatever means (sendfile and
// splice included, which need no buffer to be metered), and then pays for what was moved by
// waiting. What may move in one go is about a tenth of a second's worth, shared by the transfers
// that run, so that rates are even; without a bound it is as much as the transfer likes, and
// costs a few loads from memory.
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
	// perSecond is how many goes a second should have.
	perSecond = 10
	// least is the smallest go, unless that took more than a second: system calls have a price.
	least = 8 << 10
	// most is the largest.
	most = 4 << 20
)

// quantum is how much one of so many transfers may move in one go at a rate.
func quantum(rate, transfers int64) int64 {
	share := rate / perSecond / max(transfers, 1)
	return max(min(share, most), min(least, rate), 1)
}

// bucket bounds what passes through it.
type bucket struct {
	bound     atomic.Pointer[bound] // nil: none
	transfers atomic.Int64          // that use it now
}

// bound is a rate in force, in bytes a second. A new rate is a new one, without old debts.
type bound struct {
	rate    int64
	limiter *rate.Limiter
}

func newBucket(r int64) *bucket {
	b := new(bucket)
	b.set(r)
	return b
}

func (b *bucket) set(r int64) {
	switch old := b.bound.Load(); {
	case r == 0:
		b.bound.Store(nil)
	case old == nil || old.rate != r:
		b.bound.Store(&bound{r, rate.NewLimiter(rate.Limit(r), int(quantum(r, 1)))})
	}
}

// pay takes n bytes and returns how long to wait for them.
func (b *bucket) pay(now time.Time, n int64) time.Duration {
	in := b.bound.Load()
	if in == nil {
		return 0
	}
	var wait time.Duration
	for n > 0 {
		part := min(n, int64(in.limiter.Burst())) // what was moved before the bound was set may be more
		wait = in.limiter.ReserveN(now, int(part)).DelayFrom(now)
		n -= part
	}
	return wait
}

// pair is the two ways.
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
	changed  chan struct{} // closed when the bounds change
}

// user is what the sessions of a user share.
type user struct {
	pair
	sessions int
}

// New returns a shaper without bounds.
func New() *Shaper {
	return &Shaper{
		server:   newPair(config.Rates{}),
		users:    map[string]*user{},
		sessions: map[*Session]struct{}{},
		changed:  make(chan struct{}),
	}
}

// Set puts bounds in force, for transfers that run too. Those that wait go on at once.
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

// Session is somebody who is logged in.
type Session struct {
	shaper *Shaper
	name   string
	user   *user
	own    pair
}

// Session begins a session of a user. It must be ended by Close.
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

// Close ends the session; again, it does nothing. A transfer of it that still runs is bounded on.
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

// Flow begins a transfer, up (from the client) or down. It must be ended by Close.
func (x *Session) Flow(up bool) *Flow {
	f := &Flow{shaper: x.shaper, buckets: [...]*bucket{x.own.way(up), x.user.way(up), x.shaper.server.way(up)}}
	for _, b := range f.buckets {
		b.transfers.Add(1)
	}
	return f
}

// Flow is a transfer. It is for one goroutine. A nil Flow has no bounds.
type Flow struct {
	shaper  *Shaper
	buckets [3]*bucket
}

// Close ends the transfer. It is called once.
func (f *Flow) Close() {
	if f == nil {
		return
	}
	for _, b := range f.buckets {
		b.transfers.Add(-1)
	}
}

// Chunk returns how much may move before the next Pay: at least 1 and at most n.
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

// Pay waits for as long as n bytes that were moved take. It ends early, with the context's cause,
// when ctx ends, and, with nil, when the bounds change.
func (f *Flow) Pay(ctx context.Context, n int64) error {
	if f == nil || n <= 0 || !f.bounded() {
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

func (f *Flow) bounded() bool {
	for _, b := range f.buckets {
		if b.bound.Load() != nil {
			return true
		}
	}
	return false
}
