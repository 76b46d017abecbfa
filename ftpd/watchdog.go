package ftpd

import (
	"context"
	"sync"
	"time"
)

// A transfer runs in the goroutine that has read its command: most files are small, and waking
// another goroutine would take longer than sending them. Nobody reads commands meanwhile, so the
// minder looks after those transfers, and has another goroutine read on if one takes longer. The
// first then ends with the transfer.

// minderTick is how often the minder looks. A transfer keeps its session from reading for twice
// that at most.
const minderTick = 4 * time.Millisecond

// watchdog knows the sessions whose reader runs a transfer.
type watchdog struct {
	wake chan struct{} // told when there is something to look after

	mu     sync.Mutex
	inline map[*session]bool // whether it was there at the last look
	awake  bool
}

func newWatchdog() *watchdog {
	return &watchdog{wake: make(chan struct{}, 1), inline: map[*session]bool{}}
}

// begin tells that the reader of a session is about to run a transfer.
func (m *watchdog) begin(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inline[s] = false
	if !m.awake {
		m.awake = true
		m.wake <- struct{}{} // it sleeps, and takes one for each time that it was awake
	}
}

// end tells that it has run it. It reports false if somebody else reads the session's commands now.
func (m *watchdog) end(s *session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.inline[s]
	delete(m.inline, s)
	return ok
}

// run looks after the transfers until ctx ends.
func (m *watchdog) run(ctx context.Context) {
	for {
		select {
		case <-m.wake:
		case <-ctx.Done():
			return
		}
		m.watch(ctx)
	}
}

// watch looks as long as there is something to look after.
func (m *watchdog) watch(ctx context.Context) {
	const patience = 50 // looks without anything to see
	tick := time.NewTicker(minderTick)
	defer tick.Stop()
	for idle := 0; ; {
		select {
		case <-tick.C:
		case <-ctx.Done(): // the sessions that are left are about to be cut
			m.scan()
			m.scan()
			return
		}
		if idle++; m.scan() > 0 {
			idle = 0
		}
		if idle > patience && m.sleep() {
			return
		}
	}
}

// scan hands over what was there the last time, too, and returns how many there were.
func (m *watchdog) scan() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.inline)
	for s, before := range m.inline {
		if !before {
			m.inline[s] = true
			continue
		}
		delete(m.inline, s)
		go s.readOn()
	}
	return n
}

// sleep reports whether the minder may sleep until somebody wakes it.
func (m *watchdog) sleep() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.awake = len(m.inline) > 0
	return !m.awake
}
