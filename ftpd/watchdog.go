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

// minder knows the sessions whose reader runs a transfer.
type minder struct {
	wake chan struct{} // told when there is something to look after

	mu     sync.Mutex
	minded map[*session]bool // whether it was there at the last look
	awake  bool
}

func newMinder() *minder {
	return &minder{wake: make(chan struct{}, 1), minded: map[*session]bool{}}
}

// begin tells that the reader of a session is about to run a transfer.
func (m *minder) begin(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.minded[s] = false
	if !m.awake {
		m.awake = true
		m.wake <- struct{}{} // it sleeps, and takes one for each time that it was awake
	}
}

// end tells that it has run it. It reports false if somebody else reads the session's commands now.
func (m *minder) end(s *session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.minded[s]
	delete(m.minded, s)
	return ok
}

// run looks after the transfers until ctx ends.
func (m *minder) run(ctx context.Context) {
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
func (m *minder) watch(ctx context.Context) {
	const patience = 50 // looks without anything to see
	tick := time.NewTicker(minderTick)
	defer tick.Stop()
	for idle := 0; ; {
		select {
		case <-tick.C:
		case <-ctx.Done(): // the sessions that are left are about to be cut
			m.look()
			m.look()
			return
		}
		if idle++; m.look() > 0 {
			idle = 0
		}
		if idle > patience && m.sleep() {
			return
		}
	}
}

// look hands over what was there the last time, too, and returns how many there were.
func (m *minder) look() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.minded)
	for s, before := range m.minded {
		if !before {
			m.minded[s] = true
			continue
		}
		delete(m.minded, s)
		go s.readOn()
	}
	return n
}

// sleep reports whether the minder may sleep until somebody wakes it.
func (m *minder) sleep() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.awake = len(m.minded) > 0
	return !m.awake
}
