package passive

import (
	"net/netip"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// ledger records which client holds which port, and which requests wait for one. It does no I/O and knows no time.
// Its owner's lock guards it.
//
// The rules: a client holds each port at most once; clients share ports; and an exclusive hold (any peer may connect)
// is alone on its port. A request gets the port that was used the longest ago, so that a late connection for a hold
// that has ended does not meet a new hold at once.
//
// Requests that can't be served wait, first come, first served. A request is served before an earlier one only if the
// two do not compete, which is the case for two different clients that both share. So a client that fills every port
// with holds of its own keeps no other client waiting.
type ledger struct {
	ports      map[uint16]*slot
	oldest     *slot // the ring of ports, ordered by last use; oldest.prev is the one used last
	shared     map[pair]*hold
	free       int // ports without a hold
	exclusive  int // ports with an exclusive hold
	nextTicket uint64
	queues     map[netip.Addr]*queue // the waiting requests that share, by client
	anyQueue   queue                 // the waiting requests that are exclusive
	waiting    int
}

// slot is a port and its holds.
type slot struct {
	port       uint16
	holds      int
	exclusive  *hold
	prev, next *slot
}

// pair identifies a hold that shares its port.
type pair struct {
	port   uint16
	client netip.Addr
}

// hold is a request that was granted, or one that waits.
type hold struct {
	client    netip.Addr
	exclusive bool
	slot      *slot        // nil while it waits and after it has ended
	owner     *Reservation // the reservation that the hold is for

	ticket     uint64 // its place in the order of waiting requests; 0 if it does not wait
	prev, next *hold
}

func newLedger(ports config.PortSet) *ledger {
	l := &ledger{
		ports:  make(map[uint16]*slot, len(ports)),
		shared: make(map[pair]*hold),
		queues: make(map[netip.Addr]*queue),
		free:   len(ports),
	}
	for _, port := range ports {
		s := &slot{port: port}
		l.ports[port] = s
		if l.oldest == nil {
			s.prev, s.next, l.oldest = s, s, s
			continue
		}
		s.prev, s.next = l.oldest.prev, l.oldest
		s.prev.next, s.next.prev = s, s
	}
	return l
}

// request grants h a port and returns true, or puts h in the queue and returns false.
func (l *ledger) request(h *hold) bool {
	if !l.mustQueue(h) && l.grant(h) {
		return true
	}
	l.nextTicket++
	h.ticket = l.nextTicket
	l.waiting++
	if h.exclusive {
		l.anyQueue.push(h)
		return false
	}
	q := l.queues[h.client]
	if q == nil {
		q = new(queue)
		l.queues[h.client] = q
	}
	q.push(h)
	return false
}

// mustQueue reports whether an earlier request that competes with h waits. An exclusive request need not look at
// those that share: while one of them waits, no port is without a hold.
func (l *ledger) mustQueue(h *hold) bool {
	return l.anyQueue.head != nil || !h.exclusive && l.queues[h.client] != nil
}

// grant gives h the port that was used the longest ago of those that h may have. It returns false if there is none.
func (l *ledger) grant(h *hold) bool {
	if h.exclusive && l.free == 0 || l.exclusive == len(l.ports) {
		return false
	}
	for i, s := 0, l.oldest; i < len(l.ports); i, s = i+1, s.next {
		if s.exclusive != nil || h.exclusive && s.holds > 0 {
			continue
		}
		if !h.exclusive && s.holds > 0 && l.shared[pair{s.port, h.client}] != nil {
			continue
		}
		if h.exclusive {
			s.exclusive = h
			l.exclusive++
		} else {
			l.shared[pair{s.port, h.client}] = h
		}
		if s.holds++; s.holds == 1 {
			l.free--
		}
		h.slot = s
		l.touch(s)
		return true
	}
	return false
}

// find returns the hold that a connection from client to port belongs to, or nil.
func (l *ledger) find(port uint16, client netip.Addr) *hold {
	s := l.ports[port]
	if s.holds == 0 {
		return nil
	}
	if s.exclusive != nil {
		return s.exclusive
	}
	return l.shared[pair{port, client}]
}

// holds returns the number of holds.
func (l *ledger) holds() int { return len(l.shared) + l.exclusive }

// end ends a hold, or removes a waiting request from its queue. It does nothing for a hold that has ended. It returns
// the requests that get a port as a result, in no particular order.
func (l *ledger) end(h *hold) []*hold {
	switch {
	case h.slot != nil:
		s := h.slot
		h.slot = nil
		if s.holds--; s.holds == 0 {
			l.free++
		}
		l.touch(s)
		if h.exclusive {
			s.exclusive = nil
			l.exclusive--
			return l.serveAll()
		}
		delete(l.shared, pair{s.port, h.client})
		if l.anyQueue.head != nil {
			return l.serveAll()
		}
		return l.serveClient(h.client, nil)
	case h.ticket != 0:
		l.unqueue(h)
		if h.exclusive {
			return l.serveAll() // it may have made others wait
		}
	}
	return nil
}

// serveAll grants all waiting requests that can be granted, and returns them.
func (l *ledger) serveAll() []*hold {
	if l.waiting == 0 {
		return nil
	}
	var granted []*hold
	for {
		// Clients that share do not compete with one another, so their order does not matter.
		for client := range l.queues {
			granted = l.serveClient(client, granted)
		}
		first := l.anyQueue.head
		if first == nil || !l.grant(first) {
			return granted
		}
		l.unqueue(first)
		granted = append(granted, first)
	}
}

// serveClient grants a client's waiting requests, up to the first that must go on waiting, and appends them to
// granted.
func (l *ledger) serveClient(client netip.Addr, granted []*hold) []*hold {
	for q := l.queues[client]; q != nil && q.head != nil; {
		h := q.head
		if first := l.anyQueue.head; first != nil && first.ticket < h.ticket || !l.grant(h) {
			break
		}
		l.unqueue(h)
		granted = append(granted, h)
	}
	return granted
}

// unqueue removes a waiting request from its queue.
func (l *ledger) unqueue(h *hold) {
	q := &l.anyQueue
	if !h.exclusive {
		q = l.queues[h.client]
	}
	q.remove(h)
	if !h.exclusive && q.head == nil {
		delete(l.queues, h.client)
	}
	h.ticket = 0
	l.waiting--
}

// touch makes s the port that was used last.
func (l *ledger) touch(s *slot) {
	if l.oldest == s {
		l.oldest = s.next
		return
	}
	s.prev.next, s.next.prev = s.next, s.prev
	s.prev, s.next = l.oldest.prev, l.oldest
	s.prev.next, s.next.prev = s, s
}

// queue is a list of requests in the order in which they came.
type queue struct{ head, tail *hold }

func (q *queue) push(h *hold) {
	h.prev, h.next = q.tail, nil
	if q.tail == nil {
		q.head = h
	} else {
		q.tail.next = h
	}
	q.tail = h
}

func (q *queue) remove(h *hold) {
	if h.prev == nil {
		q.head = h.next
	} else {
		h.prev.next = h.next
	}
	if h.next == nil {
		q.tail = h.prev
	} else {
		h.next.prev = h.prev
	}
	h.prev, h.next = nil, nil
}
