// Package fair shares a bounded number of places among users: who has many sessions gets no more of
// them than one who has a single one, and nobody waits for longer than he said.
package fair

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrBusy means that no place came free in time.
var ErrBusy = errors.New("the server is too busy with such requests")

// slice is for how long a place is kept while others wait, by those who Yield.
const slice = 250 * time.Millisecond

// Places are the places. A user may have as many of them as if those who want some, and one more,
// shared them evenly, so that there is one for the next who comes; always one. Those who wait get theirs
// user by user, and within a user first come, first served. It is safe for concurrent use.
type Places struct {
	mu    sync.Mutex
	size  int
	taken int
	users map[string]*user // who have places, or wait for some
	ring  list.List        // of *user: those who wait, in turn
}

type user struct {
	name    string
	taken   int
	waiting list.List     // of chan struct{}, closed when there is a place
	turn    *list.Element // in ring; nil if nobody waits
}

// New returns so many places, at least one.
func New(size int) *Places { return &Places{size: max(size, 1), users: map[string]*user{}} }

// Size is how many places there are.
func (p *Places) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// Resize changes how many places there are, at least one. Those who have one keep it.
func (p *Places) Resize(size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = max(size, 1)
	p.grant()
}

// Place is one that is taken. It is for one goroutine.
type Place struct {
	places *Places
	user   string
	since  time.Time
	held   bool
}

// Enter waits for a place of the user's, for so long at most, which is ErrBusy; or until the context ends,
// which is its cause.
func (p *Places) Enter(ctx context.Context, user string, wait time.Duration) (*Place, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	pl := &Place{places: p, user: user}
	if err := pl.enter(ctx, timer.C); err != nil {
		return nil, err
	}
	return pl, nil
}

// enter waits for a place.
func (pl *Place) enter(ctx context.Context, late <-chan time.Time) error {
	p := pl.places
	turn := make(chan struct{})
	p.mu.Lock()
	u := p.users[pl.user]
	if u == nil {
		u = &user{name: pl.user}
		p.users[pl.user] = u
	}
	place := u.waiting.PushBack(turn)
	if u.turn == nil {
		u.turn = p.ring.PushBack(u)
	}
	p.grant()
	p.mu.Unlock()
	var err error
	select {
	case <-turn:
	case <-late:
		err = ErrBusy
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		select {
		case <-turn: // at the same moment
		default:
			u.waiting.Remove(place)
			p.tidy(u)
			p.grant() // others have a larger share now
			return err
		}
	}
	pl.since, pl.held = time.Now(), true
	return nil
}

// Yield lets others have the place if they wait and it was held for a while, and waits for another.
// If the context ends meanwhile the place is lost, and the error its cause.
func (pl *Place) Yield(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		pl.Leave()
		return err
	}
	if time.Since(pl.since) < slice {
		return nil
	}
	p := pl.places
	p.mu.Lock()
	crowded := p.ring.Len() > 0
	p.mu.Unlock()
	if !crowded {
		pl.since = time.Now()
		return nil
	}
	pl.Leave()
	return pl.enter(ctx, nil)
}

// Leave gives the place back. It may be called again.
func (pl *Place) Leave() {
	if !pl.held {
		return
	}
	pl.held = false
	p := pl.places
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[pl.user]
	p.taken--
	u.taken--
	p.tidy(u)
	p.grant()
}

// tidy forgets what there is nothing to know of any more. Called with mu.
func (p *Places) tidy(u *user) {
	if u.waiting.Len() == 0 && u.turn != nil {
		p.ring.Remove(u.turn)
		u.turn = nil
	}
	if u.waiting.Len() == 0 && u.taken == 0 {
		delete(p.users, u.name)
	}
}

// grant gives what is free to those whose turn it is. Called with mu.
func (p *Places) grant() {
	for p.taken < p.size {
		u := p.next()
		if u == nil {
			return
		}
		close(u.waiting.Remove(u.waiting.Front()).(chan struct{}))
		p.taken++
		u.taken++
		p.ring.MoveToBack(u.turn)
		p.tidy(u)
	}
}

// next is the first in turn who may have one more; nil if there is none.
func (p *Places) next() *user {
	share := max(1, p.size/(len(p.users)+1))
	for e := p.ring.Front(); e != nil; e = e.Next() {
		if u := e.Value.(*user); u.taken < share {
			return u
		}
	}
	return nil
}

// placeTimeout is how long a command waits for a place among those that cost much, before 450.
const Patience = 5 * time.Second
