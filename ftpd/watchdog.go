package ftpd

import (
	"context"
	"sync"
	"time"
)

// A transfer runs in the goroutine that has read its command: most files are small, and waking another goroutine takes
// longer than sending them. No goroutine reads commands meanwhile. So the watchdog scans the sessions that run a transfer
// inline, and has another goroutine read on if a transfer takes longer. The first goroutine then ends with the transfer.

const (
	// scanEvery is the interval of scans. A transfer keeps its session from reading for twice that at most.
	scanEvery = 16 * time.Millisecond
	// idleScans is the number of scans without a session to look at after which the watchdog sleeps.
	idleScans = 50
)

// watchdog knows the sessions whose reader runs a transfer.
type watchdog struct {
	wake chan struct{} // gets a token when there is something to scan

	mu     sync.Mutex        // guards what follows
	inline map[*session]bool // true if the previous scan saw the session, too
	awake  bool
}

func newWatchdog() *watchdog {
	return &watchdog{wake: make(chan struct{}, 1), inline: map[*session]bool{}}
}

// begin notes that the reader of a session is about to run a transfer.
func (w *watchdog) begin(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inline[s] = false
	if !w.awake {
		w.awake = true
		w.wake <- struct{}{} // never blocks: run has taken the token of the last wake-up
	}
}

// end notes that the reader has run it. It returns false if another goroutine has become the reader.
func (w *watchdog) end(s *session) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.inline[s]
	delete(w.inline, s)
	return ok
}

// run watches the transfers until ctx is cancelled.
func (w *watchdog) run(ctx context.Context) {
	for {
		select {
		case <-w.wake:
		case <-ctx.Done():
			return
		}
		w.watch(ctx)
	}
}

// watch scans until there has been nothing to see for a while.
func (w *watchdog) watch(ctx context.Context) {
	tick := time.NewTicker(scanEvery)
	defer tick.Stop()
	for idle := 0; ; {
		select {
		case <-tick.C:
		case <-ctx.Done(): // the sessions that are left are about to be cut
			w.scan()
			w.scan()
			return
		}
		if idle++; w.scan() > 0 {
			idle = 0
		}
		if idle > idleScans && w.sleep() {
			return
		}
	}
}

// scan starts another reader for each session that the previous scan saw, too. It returns the number of sessions seen.
func (w *watchdog) scan() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.inline)
	for s, before := range w.inline {
		if !before {
			w.inline[s] = true
			continue
		}
		delete(w.inline, s)
		go s.read()
	}
	return n
}

// sleep reports whether the watchdog may sleep until begin wakes it.
func (w *watchdog) sleep() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.awake = len(w.inline) > 0
	return !w.awake
}
