package memory

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/status"
)

const (
	// Slow is the time between two passes of a server for which nothing is in progress.
	Slow = 60 * time.Second
	// patience is the time that a pod may take to serve a new configuration before its volume is touched again; it
	// doubles with every touch.
	patience = 5 * time.Second
	// recheck is the time between two passes while a pod can't be asked or can't resolve a name.
	recheck = 15 * time.Second
)

// Rollouts remembers for how long pods have not served the configuration that they should. From that follow the time
// of the next pass and the time to make the kubelet refresh the pod's volume again. After a restart the pods are asked
// often again, and the kubelet is given its time once more.
type Rollouts struct {
	mu   sync.Mutex
	pods map[types.UID]map[string]*lateness // by server's UID and pod's name
}

// lateness is the delay of one pod.
type lateness struct {
	// hash and address are what the pod should serve, and since is when it was first seen not to serve that.
	hash, address string
	since         time.Time
	// touches is the number of touches of the pod's volume, and touched the time of the last one (since before any).
	touches int
	touched time.Time
}

// NewRollouts returns a Rollouts that knows nothing yet.
func NewRollouts() *Rollouts { return &Rollouts{pods: map[types.UID]map[string]*lateness{}} }

// Touch returns the value that the pod's touch annotation should have; empty if it needs none.
func (t *Rollouts) Touch(server types.UID, pod string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.pods[server][pod]; l != nil && l.touches > 0 {
		return fmt.Sprintf("%s.%d", l.hash, l.touches)
	}
	return ""
}

// Next returns the time until the next pass. Changes in the cluster start a pass by themselves; Next is for what no
// object shows: what the daemons report, and how the API server would answer by now.
func (t *Rollouts) Next(server types.UID, seen status.Observed, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, after, late := t.pods[server], map[string]*lateness{}, time.Duration(0)
	wait := Slow
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
			if now.Sub(l.touched) >= min(patience<<l.touches, Slow) && pod.Daemon.ConfigHash != seen.ConfigHash {
				l.touches++
				l.touched = now
				late = max(late, time.Millisecond) // the next pass follows at once and writes the annotation
			}
			after[pod.Name] = l
			wait = min(wait, backoff(now.Sub(l.since)))
		case pod.Daemon.AddressError != "", pod.Daemon.RejectedHash != "": // the daemon tries again
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

// backoff returns the wait until the next pass: a quarter of the time waited so far, at least one second and at most
// Slow.
func backoff(waited time.Duration) time.Duration {
	return min(max(waited/4, time.Second), Slow)
}

// Forget drops everything about a server that is gone.
func (t *Rollouts) Forget(server types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.pods, server)
}
