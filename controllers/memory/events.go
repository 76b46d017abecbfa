package memory

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// HeldEvents holds back events about conditions that are normal for a short time while a server starts, until their grace
// period has passed. The conditions report them at once. Held events are lost if the operator ends meanwhile.
type HeldEvents struct {
	mu   sync.Mutex
	held map[types.UID]map[string]time.Time // by server and reason: when to emit the event
}

// NewHeldEvents returns a HeldEvents that knows nothing yet.
func NewHeldEvents() *HeldEvents { return &HeldEvents{held: map[types.UID]map[string]time.Time{}} }

// Due returns the events to emit now: the new ones without a grace period, and the held ones whose period has passed
// and whose condition is still bad. next is when to call due again; zero if no event is held.
func (g *HeldEvents) Due(server types.UID, events []status.Event, now v1alpha1.FtpServerStatus, at time.Time) (tell []status.Event, next time.Time) {
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

// Forget drops everything about a server that is gone.
func (g *HeldEvents) Forget(server types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.held, server)
}
