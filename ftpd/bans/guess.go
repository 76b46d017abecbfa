package bans

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// A wrong password counts only once it has been verified. Without a bound on the passwords that are tried at the same
// time, a client that sends all its guesses at once would have all of them verified before the ban begins.

// guesses are the logins of one subject: the number of those whose passwords are being tried, and those that wait.
type guesses struct {
	running int
	waiting list.List // of chan struct{}; each is closed when it is its turn; first come, first served
}

// Enter waits until the subject may try a password. The number of passwords that are tried at the same time is
// bounded by the number that may still fail before a ban begins, but it is at least one. For a subject that is banned
// or exempt Enter does not wait. The caller must check for a ban after Enter, because one may have begun meanwhile,
// and it must call leave once the result of the try has been reported. If ctx ends first, Enter returns its cause.
func (l *List) Enter(ctx context.Context, who Subject) (leave func(), err error) {
	l.mu.Lock()
	if l.exempt(who) || l.isBanned(who, l.now()) {
		l.mu.Unlock()
		return func() {}, nil
	}
	g := l.guesses[who]
	if g == nil {
		g = new(guesses)
		l.guesses[who] = g
	}
	leave = sync.OnceFunc(func() { l.leave(who, g) })
	if g.waiting.Len() == 0 && l.room(who, g, l.now()) {
		g.running++
		l.mu.Unlock()
		return leave, nil
	}
	turn := make(chan struct{})
	place := g.waiting.PushBack(turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return leave, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	select {
	case <-turn: // the turn came at the same moment
		l.mu.Unlock()
		leave()
	default:
		g.waiting.Remove(place)
		l.mu.Unlock()
	}
	return nil, context.Cause(ctx)
}

// leave ends a try and lets waiting ones start.
func (l *List) leave(who Subject, g *guesses) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g.running--
	now := l.now()
	all := l.exempt(who) || l.isBanned(who, now)
	for g.waiting.Len() > 0 && (all || l.room(who, g, now)) {
		g.running++
		close(g.waiting.Remove(g.waiting.Front()).(chan struct{}))
	}
	if g.running == 0 {
		delete(l.guesses, who)
	}
}

// room reports whether another password may be tried: even if it fails, and all that are being tried now fail, too,
// no ban begins, or only this last failure begins it. One password at a time may always be tried, or the queue would
// never move on.
func (l *List) room(who Subject, g *guesses, now time.Time) bool {
	var score uint32
	if en := l.known[who]; en != nil {
		score = en.score.add(now.Sub(l.began), l.cfg.Window.Std(), 0)
	}
	return g.running == 0 || score+uint32(g.running)*failure < uint32(l.cfg.Failures)*failure //nolint:gosec // small
}

// isBanned reports whether the subject has a ban that has not ended, even if the subject is exempt.
func (l *List) isBanned(who Subject, now time.Time) bool {
	en := l.known[who]
	return en != nil && now.Before(en.until)
}
