package daemonclient

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Answer is what a daemon reported about itself, or why it did not answer.
type Answer struct {
	// Report is the daemon's last report; nil if there is none or if the pod is out of reach.
	Report *config.Status
	// Err is why the daemon did not answer this time; nil if it did.
	Err error
	// Pending is true if the daemon did not answer, but not for long enough yet (giveUp) to count as out of reach.
	Pending bool
}

// Pod is a pod whose daemon is asked.
type Pod struct {
	UID types.UID
	IP  string
}

// Poller asks daemons for their status, and remembers the last report of each and since when it has not answered. One
// lost request does not say what a pod serves: the network of a new pod may not let the operator in yet. An operator
// that can't reach pods at all must not spend all its time waiting for them.
//
// After a restart no report is known: a pod that does not answer counts as pending for giveUp once more.
type Poller struct {
	client Client
	clock  clock.PassiveClock

	mu   sync.Mutex
	pods map[types.UID]polled
}

type polled struct {
	report *config.Status // the last one
	err    error          // why the last request was not answered; nil if it was
	since  time.Time      // the first of the requests in a row that were not answered
	until  time.Time      // until when the pod is not asked
	used   time.Time
}

// keepReports is the time after which a report that was not used is forgotten. Each server is reconciled every
// minute.
const keepReports = 10 * time.Minute

// NewPoller returns a Poller that asks by the given client.
func NewPoller(client Client, clock clock.PassiveClock) *Poller {
	return &Poller{client: client, clock: clock, pods: map[types.UID]polled{}}
}

// Poll asks the daemons of the given pods, at most askAtOnce at a time and for at most askAllTimeout, and returns what is
// known of each.
func (p *Poller) Poll(ctx context.Context, pods []Pod) map[types.UID]Answer {
	ctx, cancel := context.WithTimeout(ctx, askAllTimeout)
	defer cancel()
	var (
		mu      sync.Mutex
		wait    sync.WaitGroup
		answers = map[types.UID]Answer{}
		slots   = make(chan struct{}, askAtOnce)
	)
	answered := func(pod Pod, a Answer) {
		mu.Lock()
		defer mu.Unlock()
		answers[pod.UID] = a
	}
	for _, pod := range pods {
		if err := p.silent(pod.UID, p.clock.Now()); err != nil {
			answered(pod, Answer{Err: err})
			continue
		}
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			report, err := p.client.Status(ctx, pod.IP)
			answered(pod, p.note(pod.UID, report, err, p.clock.Now()))
		})
	}
	wait.Wait()
	return answers
}

// note records the result of a request and returns what is known now.
func (p *Poller) note(uid types.UID, report *config.Status, err error, now time.Time) Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	for old, entry := range p.pods {
		if now.Sub(entry.used) > keepReports {
			delete(p.pods, old)
		}
	}
	if err == nil {
		p.pods[uid] = polled{report: report, used: now}
		return Answer{Report: report}
	}
	pod := p.pods[uid]
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
	p.pods[uid] = pod
	return Answer{Report: pod.report, Err: err, Pending: pending}
}

// silent returns why the pod is not asked at this time; nil if it is to be asked.
func (p *Poller) silent(uid types.UID, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pod := p.pods[uid]; now.Before(pod.until) {
		return pod.err
	}
	return nil
}
