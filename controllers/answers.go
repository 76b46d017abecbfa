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

// answer is what a daemon reported about itself, or why it did not answer.
type answer struct {
	// report is the daemon's last report; nil if there is none or if the pod is out of reach.
	report *config.Status
	// err is why the daemon did not answer this time; nil if it did.
	err error
	// pending is true if the daemon did not answer, but not for long enough yet (giveUp) to count as out of reach.
	pending bool
}

// ask requests the status of the daemons of all running pods, at most askAtOnce at a time. Pods that are terminating
// are not asked.
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

// heardPods remembers the last report of each pod's daemon, and since when the daemon has not answered. One lost
// request does not say what a pod serves: the network of a new pod may not let the operator in yet. An operator that
// can't reach pods at all must not spend all its time waiting for them.
type heardPods struct {
	mu   sync.Mutex
	pods map[types.UID]heardPod
}

type heardPod struct {
	report *config.Status // the last one
	err    error          // why the last request was not answered; nil if it was
	since  time.Time      // the first of the requests in a row that were not answered
	until  time.Time      // until when the pod is not asked
	used   time.Time
}

// forgetAfter is the time after which an entry that was not used is forgotten. Each server is reconciled every
// minute.
const forgetAfter = 10 * time.Minute

func newHeardPods() *heardPods { return &heardPods{pods: map[types.UID]heardPod{}} }

// note records the result of a request and returns what is known now.
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

// silent returns why the pod is not asked at this time; nil if it is to be asked.
func (h *heardPods) silent(uid types.UID, now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if pod := h.pods[uid]; now.Before(pod.until) {
		return pod.err
	}
	return nil
}
