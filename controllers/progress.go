package controllers

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/status"
)

const (
	// slow is the time between two looks at a server at which nothing is going on.
	slow = 60 * time.Second
	// patience is how long a pod may take to serve a new configuration before its volume is
	// touched once more; it doubles with every touch.
	patience = 5 * time.Second
	// recheck is the time between two looks at pods that can't be asked, or can't resolve a name.
	recheck = 15 * time.Second
)

// progress remembers for how long pods have not served what they should, and so when to look again
// and when to nudge their kubelet again.
type progress struct {
	mu   sync.Mutex
	pods map[types.UID]map[string]*lateness // by server and pod
}

// lateness is that of one pod.
type lateness struct {
	hash, address string
	since         time.Time
	touches       int
	touched       time.Time
}

func newProgress() *progress { return &progress{pods: map[types.UID]map[string]*lateness{}} }

// touch is the value that the pod's touch annotation should have; empty if it needs none.
func (t *progress) touch(server types.UID, pod string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.pods[server][pod]; l != nil && l.touches > 0 {
		return fmt.Sprintf("%s.%d", l.hash, l.touches)
	}
	return ""
}

// next says when to look again. Changes in the cluster begin a pass by themselves; this is
// for what shows in no object: what the daemons say, and what the API server would say by now.
func (t *progress) next(server types.UID, seen status.Observed, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, after, late := t.pods[server], map[string]*lateness{}, time.Duration(0)
	wait := slow
	for i := range seen.Pods {
		pod := &seen.Pods[i]
		switch {
		case !pod.Running || pod.Terminating:
		case pod.DaemonPending:
			wait = min(wait, time.Second)
		case pod.Daemon == nil:
			wait = min(wait, recheck)
		case !status.Served(seen, *pod):
			l := before[pod.Name]
			if want := pod.Advertises(&seen); l == nil || l.hash != seen.ConfigHash || l.address != want {
				l = &lateness{hash: seen.ConfigHash, address: want, since: now, touched: now}
			}
			if now.Sub(l.touched) >= min(patience<<l.touches, slow) && pod.Daemon.ConfigHash != seen.ConfigHash {
				l.touches++
				l.touched = now
				late = max(late, time.Millisecond) // touch it now
			}
			after[pod.Name] = l
			wait = min(wait, backoff(now.Sub(l.since)))
		case pod.Daemon.AddressError != "", pod.Daemon.RejectedHash != "": // which is tried again
			wait = min(wait, recheck)
		}
	}
	if late > 0 {
		wait = late
	}
	if len(after) == 0 {
		delete(t.pods, server)
	} else {
		t.pods[server] = after
	}
	return wait
}

// backoff is a second at first, and a quarter of the waiting so far later on.
func backoff(waited time.Duration) time.Duration {
	return min(max(waited/4, time.Second), slow)
}

func (t *progress) forget(server types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.pods, server)
}

// failures counts the passes of a server that came to nothing in a row.
type failures struct {
	mu    sync.Mutex
	count map[types.NamespacedName]int
}

func newFailures() *failures { return &failures{count: map[types.NamespacedName]int{}} }

func (f *failures) failed(server types.NamespacedName) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count[server]++
	return f.count[server]
}

// again counts one more and says when to try again: soon, and later each time.
func (f *failures) again(server types.NamespacedName) time.Duration {
	const soon, most = 50 * time.Millisecond, 10 * time.Second
	return min(soon<<min(f.failed(server)-1, 10), most)
}

func (f *failures) succeeded(server types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.count, server)
}
