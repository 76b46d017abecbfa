package controllers

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// answer is what a daemon said of itself, or why it said nothing.
type answer struct {
	// report is its last one; nil if there is none, or if it is out of reach.
	report *config.Status
	// err is why it did not answer this time.
	err error
	// pending: it did not answer, but not yet for so long that it counts as out of reach.
	pending bool
}

// ask asks the daemons of all running pods at once.
func (p *pass) ask(ctx context.Context) map[types.UID]answer {
	ctx, cancel := context.WithTimeout(ctx, askAllTimeout)
	defer cancel()
	var (
		mu      sync.Mutex
		wait    sync.WaitGroup
		answers = map[types.UID]answer{}
		slots   = make(chan struct{}, askAtOnce)
	)
	for i := range p.observed.pods {
		one := &p.observed.pods[i]
		if !one.running() || one.terminating() {
			continue
		}
		if err := p.heard.silent(one.UID, p.Clock.Now()); err != nil {
			mu.Lock()
			answers[one.UID] = answer{err: err}
			mu.Unlock()
			continue
		}
		wait.Add(1)
		go func(uid types.UID, ip string) {
			defer wait.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			report, err := p.Daemons.Status(ctx, ip)
			a := p.heard.note(uid, report, err, p.Clock.Now())
			mu.Lock()
			defer mu.Unlock()
			answers[uid] = a
		}(one.UID, one.Status.PodIP)
	}
	wait.Wait()
	return answers
}

// heardPods remembers what pods have said, and since when they have said nothing. A question that is lost,
// as to a pod that is so new that its network does not let us in yet, says nothing of what it serves; and
// an operator that can't reach pods at all must not spend all its time on waiting for them.
type heardPods struct {
	mu   sync.Mutex
	pods map[types.UID]heardPod
}

type heardPod struct {
	report *config.Status // the last
	err    error          // of the last question, if it was not answered
	since  time.Time      // of the first question in a row that was not
	until  time.Time      // it is not asked
	used   time.Time
}

// forgetAfter is when a pod that was not asked about any more is forgotten; a pass comes every minute.
const forgetAfter = 10 * time.Minute

func newHeardPods() *heardPods { return &heardPods{pods: map[types.UID]heardPod{}} }

// note records what came of a question, and returns what is known now.
func (h *heardPods) note(uid types.UID, report *config.Status, err error, now time.Time) answer {
	h.mu.Lock()
	defer h.mu.Unlock()
	for old, entry := range h.pods {
		if now.Sub(entry.used) > forgetAfter {
			delete(h.pods, old)
		}
	}
	if err == nil {
		h.pods[uid] = heardPod{report: report, used: now}
		return answer{report: report}
	}
	pod := h.pods[uid]
	if pod.err == nil {
		pod.since = now
	}
	pod.err, pod.used = err, now
	pending := now.Sub(pod.since) < giveUp
	if !pending {
		pod.report = nil
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			pod.until = now.Add(silence)
		}
	}
	h.pods[uid] = pod
	return answer{report: pod.report, err: err, pending: pending}
}

// silent is why a pod needs no question at this time; nil if it does.
func (h *heardPods) silent(uid types.UID, now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if pod := h.pods[uid]; now.Before(pod.until) {
		return pod.err
	}
	return nil
}
