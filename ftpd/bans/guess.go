package bans

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Passwords that are tried at the same time: none of them counts until it was found wrong, so without
// a bound on them a client that sends all its guesses at once would have them all verified.

// guesses are the passwords that a subject tries now, and those that wait to be tried.
type guesses struct {
	running int
	waiting list.List // of chan struct{}, closed when it is its turn; first come, first served
}

// Enter waits until the subject may try a password: at any time as many are tried as may fail
// before a ban begins, and always one. The caller looks whether there is a ban after Enter, for it may have begun
// meanwhile; nothing waits for a subject that is banned. It calls leave when what came of the try
// has been reported. The error is the context's.
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
	case <-turn: // at the same moment
		l.mu.Unlock()
		leave()
	default:
		g.waiting.Remove(place)
		l.mu.Unlock()
	}
	return nil, context.Cause(ctx)
}

// leave ends a try and lets others begin.
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

// room reports whether one more failure would be without a ban, or the one that begins it, if all that
// are tried now fail. One at a time may always be tried, or nothing would let the next one in.
func (l *List) room(who Subject, g *guesses, now time.Time) bool {
	var score uint32
	if en := l.known[who]; en != nil {
		score = en.score.add(now.Sub(l.began), l.cfg.Window.Std(), 0)
	}
	return g.running == 0 || score+uint32(g.running)*failure < uint32(l.cfg.Failures)*failure //nolint:gosec // small
}

// isBanned reports whether a ban of the subject is in force, exempt or not.
func (l *List) isBanned(who Subject, now time.Time) bool {
	en := l.known[who]
	return en != nil && now.Before(en.until)
}
