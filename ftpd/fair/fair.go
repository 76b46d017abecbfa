// Package fair shares a bounded number of places for expensive work among users. A user with many sessions gets no
// more places than a user with one, and no caller waits for longer than the time that it gave. Start reading at
// Places; Enter takes a place. The package imports nothing else of this module.
package fair

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrBusy means that no place became free in time.
var ErrBusy = errors.New("the server is too busy with such requests")

// slice is how long a caller that Yields keeps its place while others wait.
const slice = 250 * time.Millisecond

// Places is a bounded number of places. Each user may hold an even share of them: all places divided by the number of
// users that hold or want some plus one, so that a place is left for the next user; and always at least one. Users
// that wait take turns, and the requests of one user are served in the order in which they came. Places is safe for
// concurrent use.
type Places struct {
	mu    sync.Mutex
	size  int
	taken int
	users map[string]*user // users that have places or wait for some
	ring  list.List        // of *user: the users that wait, in the order of their turns
}

// user is a user that has places or waits for some.
type user struct {
	name    string
	taken   int
	waiting list.List     // of chan struct{}; each is closed when it gets a place
	turn    *list.Element // in ring; nil if no request waits
}

// New returns Places with size places, at least one.
func New(size int) *Places { return &Places{size: max(size, 1), users: map[string]*user{}} }

// Size returns the number of places.
func (p *Places) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// Resize changes the number of places, to at least one. Callers that hold a place keep it.
func (p *Places) Resize(size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = max(size, 1)
	p.grant()
}

// Place is one place that a caller holds. Only one goroutine at a time may use it.
type Place struct {
	places *Places
	user   string
	since  time.Time
	held   bool
}

// Enter waits until the user gets a place. It returns ErrBusy if that takes longer than wait, and the cause of ctx if
// ctx ends before.
func (p *Places) Enter(ctx context.Context, user string, wait time.Duration) (*Place, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	pl := &Place{places: p, user: user}
	if err := pl.enter(ctx, timer.C); err != nil {
		return nil, err
	}
	return pl, nil
}

// enter waits for a place. It returns ErrBusy when late fires, which never happens if late is nil.
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
		case <-turn: // the place was granted at the same moment
		default:
			u.waiting.Remove(place)
			p.tidy(u)
			p.grant() // the shares of the others are larger now
			return err
		}
	}
	pl.since, pl.held = time.Now(), true
	return nil
}

// Yield gives the place to other callers if some wait and this one has held it for a while (slice), and waits for
// another place. If ctx ends meanwhile, the place is lost and Yield returns the cause of ctx.
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

// tidy removes a user that waits no more from the ring, and forgets a user that has no places either. The caller
// holds mu.
func (p *Places) tidy(u *user) {
	if u.waiting.Len() == 0 && u.turn != nil {
		p.ring.Remove(u.turn)
		u.turn = nil
	}
	if u.waiting.Len() == 0 && u.taken == 0 {
		delete(p.users, u.name)
	}
}

// grant gives free places to the users in their turn. The caller holds mu.
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

// next returns the first user in turn whose share allows one more place, or nil if there is none. The caller holds
// mu.
func (p *Places) next() *user {
	share := max(1, p.size/(len(p.users)+1))
	for e := p.ring.Front(); e != nil; e = e.Next() {
		if u := e.Value.(*user); u.taken < share {
			return u
		}
	}
	return nil
}

// Patience is how long a command waits for a place for expensive work before the reply 450.
const Patience = 5 * time.Second
