package budget

import (
	"errors"
	"sync"
)

// ErrNoDescriptors means that another session or transfer would leave too few descriptors for those that run.
var ErrNoDescriptors = errors.New("too many files and connections are open")

// DescriptorPool counts the descriptors of the process that sessions and transfers hold. They take descriptors from
// the pool before they open anything, so none of them meets EMFILE: accepting connections does not fail, and an
// upload that has begun gets what it needs until its end. A part is kept from sessions; otherwise clients that
// connect and do nothing would leave no descriptor for the transfers of others. A nil pool bounds nothing.
// DescriptorPool is safe for concurrent use.
type DescriptorPool struct {
	mu            sync.Mutex
	most, reserve int
	used          int
	homes         map[string]int // how many views of each home are open; they share one descriptor
}

// NewDescriptorPool returns a pool for the bounds, or nil if they don't bound descriptors.
func NewDescriptorPool(b Bounds) *DescriptorPool {
	if b.Descriptors == 0 {
		return nil
	}
	return &DescriptorPool{most: b.Descriptors, reserve: b.DescriptorReserve, homes: map[string]int{}}
}

// take takes n descriptors for a session that is logged in. It returns false, and takes none, if there are too few.
func (d *DescriptorPool) take(n int) bool { return d == nil || d.takeBut(n, 0) }

// TakeSession takes the descriptors of a new session. It returns false if there are too few. Sessions may use half of
// the reserve, because a session that had to give way to a new one keeps its descriptors until it has ended.
func (d *DescriptorPool) TakeSession() bool {
	return d == nil || d.takeBut(SessionDescriptors, d.reserve/2)
}

// takeBut takes n descriptors. It returns false, and takes none, if fewer than kept would be left.
func (d *DescriptorPool) takeBut(n, kept int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used+n > d.most-kept {
		return false
	}
	d.used += n
	return true
}

// Give returns n descriptors to the pool.
func (d *DescriptorPool) Give(n int) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used -= n
}

// EnterHome counts another view of a home. All views of a home share one descriptor, which the first view takes.
// EnterHome returns false, and counts nothing, if no descriptor is left.
func (d *DescriptorPool) EnterHome(home string) bool {
	if d == nil {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.homes[home] == 0 {
		if d.used+HomeDescriptors > d.most {
			return false
		}
		d.used += HomeDescriptors
	}
	d.homes[home]++
	return true
}

// LeaveHome undoes one EnterHome.
func (d *DescriptorPool) LeaveHome(home string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.homes[home]--; d.homes[home] == 0 {
		delete(d.homes, home)
		d.used -= HomeDescriptors
	}
}

// MoreSessions returns the number of further sessions for which there are descriptors. It is negative if there are
// too many sessions. ok is false if descriptors are not bounded.
func (d *DescriptorPool) MoreSessions() (n int, ok bool) {
	if d == nil {
		return 0, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return (d.most - d.reserve - d.used) / SessionDescriptors, true
}

// Held counts the descriptors that a session holds for its next transfer, or that a transfer holds. Its owner must
// guard it against concurrent use.
type Held struct {
	Of    *DescriptorPool
	count int
}

// Take takes n more descriptors. It returns false, and takes none, if there are too few.
func (h *Held) Take(n int) bool {
	if !h.Of.take(n) {
		return false
	}
	h.count += n
	return true
}

// GiveAll returns all descriptors to the pool. It may be called again.
func (h *Held) GiveAll() {
	h.Of.Give(h.count)
	h.count = 0
}

// Give returns n descriptors to the pool, or all of them if h holds fewer.
func (h *Held) Give(n int) {
	n = min(n, h.count)
	h.Of.Give(n)
	h.count -= n
}

// Move transfers all descriptors to another owner, and leaves h without any.
func (h *Held) Move() Held {
	all := *h
	h.count = 0
	return all
}
