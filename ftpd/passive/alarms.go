package passive

import (
	"container/heap"
	"time"
)

// alarms has reservations looked at when their time has come. All share one timer of the runtime, which is moved only to
// an earlier time: each timer that is set may wake a thread, and most reservations end long before their time.
//
// The pool's lock guards it.
type alarms struct {
	due   byAlarm
	ring  func()      // called in a goroutine of its own when a time has come; it calls take
	timer *time.Timer // calls ring
	set   time.Time   // when timer fires; zero: it is not set
}

// put sets the time at which r is looked at, in place of an earlier one.
func (a *alarms) put(r *Reservation, at time.Time) {
	r.alarm = at
	if r.place > 0 {
		heap.Fix(&a.due, r.place-1)
	} else {
		heap.Push(&a.due, r)
	}
	a.adjust()
}

// drop forgets r.
func (a *alarms) drop(r *Reservation) {
	if r.place > 0 {
		heap.Remove(&a.due, r.place-1)
	}
}

// take returns the reservations whose time has come, and forgets them.
func (a *alarms) take(now time.Time) (due []*Reservation) {
	a.set = time.Time{}
	for len(a.due) > 0 && !now.Before(a.due[0].alarm) {
		due = append(due, heap.Pop(&a.due).(*Reservation))
	}
	a.adjust()
	return due
}

// adjust sets the timer if it would fire too late.
func (a *alarms) adjust() {
	if len(a.due) == 0 || !a.set.IsZero() && !a.due[0].alarm.Before(a.set) {
		return
	}
	a.set = a.due[0].alarm
	if left := time.Until(a.set); a.timer == nil {
		a.timer = time.AfterFunc(left, a.ring)
	} else {
		a.timer.Reset(left)
	}
}

// byAlarm is a heap of reservations, by their alarm. A reservation's place is its index in the heap plus one.
type byAlarm []*Reservation

func (h *byAlarm) Len() int           { return len(*h) }
func (h *byAlarm) Less(i, j int) bool { return (*h)[i].alarm.Before((*h)[j].alarm) }

func (h *byAlarm) Swap(i, j int) {
	all := *h
	all[i], all[j] = all[j], all[i]
	all[i].place, all[j].place = i+1, j+1
}

// Push implements heap.Interface.
func (h *byAlarm) Push(r any) {
	*h = append(*h, r.(*Reservation))
	(*h)[len(*h)-1].place = len(*h)
}

// Pop implements heap.Interface.
func (h *byAlarm) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last], *h = nil, (*h)[:last]
	r.place = 0
	return r
}
