package ftpd

import (
	"errors"
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
)

// errNoDescriptors: what was asked for would leave too few descriptors for what goes on.
var errNoDescriptors = errors.New("too many files and connections are open")

// descriptors count what sessions and transfers hold of the process's descriptors, before they are opened, so that
// none of them ever meets EMFILE: what accepts connections never fails, and an upload that has begun gets
// what it needs to its end. A part is kept from sessions, or clients that connect and do nothing would leave none
// for the transfers of others. A nil *descriptors bounds nothing. It is safe for concurrent use.
type descriptors struct {
	mu            sync.Mutex
	most, reserve int
	used          int
	homes         map[string]int // how often each is open; its views share one descriptor
}

func newDescriptors(b budget.Bounds) *descriptors {
	if b.Descriptors == 0 {
		return nil
	}
	return &descriptors{most: b.Descriptors, reserve: b.DescriptorReserve, homes: map[string]int{}}
}

// take takes n for somebody who is logged in, or none.
func (d *descriptors) take(n int) bool { return d == nil || d.takeBut(n, 0) }

// takeSession takes those of a session, or none. Sessions that have to give way, and have not ended yet, may have
// half of the reserve.
func (d *descriptors) takeSession() bool {
	return d == nil || d.takeBut(budget.SessionDescriptors, d.reserve/2)
}

// takeBut takes n, or none if fewer than kept would be left.
func (d *descriptors) takeBut(n, kept int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used+n > d.most-kept {
		return false
	}
	d.used += n
	return true
}

// give gives n back.
func (d *descriptors) give(n int) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used -= n
}

// enterHome takes that of a home, if it is not open yet; false if there is none.
func (d *descriptors) enterHome(home string) bool {
	if d == nil {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.homes[home] == 0 {
		if d.used+budget.HomeDescriptors > d.most {
			return false
		}
		d.used += budget.HomeDescriptors
	}
	d.homes[home]++
	return true
}

func (d *descriptors) leaveHome(home string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.homes[home]--; d.homes[home] == 0 {
		delete(d.homes, home)
		d.used -= budget.HomeDescriptors
	}
}

// moreSessions is for how many more sessions there are some; less than zero if there are too many. ok is
// false if there is no bound.
func (d *descriptors) moreSessions() (n int, ok bool) {
	if d == nil {
		return 0, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return (d.most - d.reserve - d.used) / budget.SessionDescriptors, true
}

// held are descriptors that a session has taken for its next transfer, or a transfer has. It is guarded by
// its owner.
type held struct {
	of    *descriptors
	count int
}

// take takes n more, or none.
func (h *held) take(n int) bool {
	if !h.of.take(n) {
		return false
	}
	h.count += n
	return true
}

// giveAll gives all back; it may be called again.
func (h *held) giveAll() {
	h.of.give(h.count)
	h.count = 0
}

// give gives back up to n.
func (h *held) give(n int) {
	n = min(n, h.count)
	h.of.give(n)
	h.count -= n
}

// move returns all of it, for another owner.
func (h *held) move() held {
	all := *h
	h.count = 0
	return all
}
