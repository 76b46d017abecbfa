package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// graces holds back the events about what a start has not brought about yet, until their grace is over. The
// conditions tell of it at once all the same. An operator that ends meanwhile takes those it holds with it.
type graces struct {
	mu   sync.Mutex
	held map[types.UID]map[string]time.Time // by server and reason, when to tell
}

func newGraces() *graces { return &graces{held: map[types.UID]map[string]time.Time{}} }

// due returns the events that are to be told now: of the new ones those without a grace, and of those held back
// the ones that the status still gives reason for. next is when to ask again; zero if none is held.
func (g *graces) due(server types.UID, events []status.Event, now v1alpha1.FtpServerStatus, at time.Time) (tell []status.Event, next time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	held := g.held[server]
	for _, e := range events {
		if e.Grace == 0 {
			delete(held, e.Reason)
			tell = append(tell, e)
			continue
		}
		if held == nil {
			held = map[string]time.Time{}
			g.held[server] = held
		}
		if _, waits := held[e.Reason]; !waits {
			held[e.Reason] = at.Add(e.Grace)
		}
	}
	for reason, when := range held {
		message, is := status.StillBad(now, reason)
		switch {
		case !is:
			delete(held, reason)
		case !at.Before(when):
			delete(held, reason)
			tell = append(tell, status.Event{Warning: true, Reason: reason, Message: message})
		case next.IsZero() || when.Before(next):
			next = when
		}
	}
	if len(held) == 0 {
		delete(g.held, server)
	}
	return tell, next
}

func (g *graces) forget(server types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.held, server)
}
