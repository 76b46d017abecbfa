package passhash

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// ErrTooLarge means that verifying the hash needs more memory than all hashes together may use.
var ErrTooLarge = errors.New("verifying the password hash takes more memory than there is")

// OwnMemory is the memory, in bytes, that it takes to verify a hash made by Hash.
const OwnMemory = int64(defaultMemory) << 10

// littleMemory is the memory of bcrypt, in bytes, rounded up.
const littleMemory = 64 << 10

// Memory returns the memory, in bytes, that it takes to verify a password with the hash.
func Memory(hash string) int64 {
	if strings.HasPrefix(hash, argon2idPrefix) {
		if h, err := parseArgon2id(hash); err == nil {
			return int64(h.memory) << 10
		}
	}
	return littleMemory
}

// queue limits the number of hashes that are computed at one time, and their memory. Waiting computations get their
// turns in the order of their arrival, so that small hashes do not overtake a large one for ever.
//
// The memory of a computation is not free when it ends, but after the next garbage collection. So it counts until
// then. If the next computation waits only because of garbage, the queue collects it at once.
type queue struct {
	collect func() // collects all garbage
	release func() // collects it, and gives its memory back to the system

	mu         sync.Mutex
	slots      int
	memory     int64 // 0: no limit
	running    int
	used       int64 // memory of running computations
	garbage    int64 // memory of ended computations, not collected yet; not counted without a limit
	collecting bool  // whether collect or release is running
	kept       int64 // memory of ended computations that the process may still hold, in bytes
	rest       *time.Timer
	waiting    list.List // of *turn
}

// turn is a computation that waits.
type turn struct {
	need  int64
	begun chan struct{} // closed when the computation may begin, or when err is set
	err   error
}

// The memory of hashes is given back to the system when no hash was computed for restTime, if it is at least
// worthReleasing. The Go runtime by itself keeps it for minutes, and a daemon at rest would hold more memory for its
// last login than for a thousand sessions.
const (
	restTime       = 5 * time.Second
	worthReleasing = 1 << 20
)

func newQueue(slots int) *queue {
	return &queue{slots: max(slots, 1), collect: runtime.GC, release: debug.FreeOSMemory}
}

// bound changes the limits, also for those that wait.
func (q *queue) bound(slots int, memory int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.slots, q.memory = max(slots, 1), memory
	q.grant()
}

// enter waits until a computation with so much memory may begin. The error is ErrTooLarge or the context's cause.
func (q *queue) enter(ctx context.Context, need int64) error {
	q.mu.Lock()
	if q.memory > 0 && need > q.memory {
		defer q.mu.Unlock()
		return q.tooLarge(need)
	}
	t := &turn{need: need, begun: make(chan struct{})}
	place := q.waiting.PushBack(t)
	q.grant()
	q.mu.Unlock()
	select {
	case <-t.begun:
		return t.err
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-t.begun: // the turn came at the same moment
		return t.err
	default:
		q.waiting.Remove(place)
		q.grant() // smaller ones may have waited behind it
		return context.Cause(ctx)
	}
}

// leave ends a computation that enter let begin.
func (q *queue) leave(need int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	q.used -= need
	if q.memory > 0 {
		q.garbage += need
	}
	q.grant()
	if q.kept += need; q.running == 0 && q.kept >= worthReleasing {
		q.startRest()
	}
}

// startRest starts the time of rest again. The caller holds mu.
func (q *queue) startRest() {
	if q.rest == nil {
		q.rest = time.AfterFunc(restTime, q.giveBack)
	} else {
		q.rest.Reset(restTime)
	}
}

// giveBack gives the memory of hashes back to the system, unless a hash is being computed.
func (q *queue) giveBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running > 0 {
		return // leave starts the rest again
	}
	if q.collecting {
		q.startRest()
		return
	}
	q.kept = 0
	q.collectBy(q.release)
}

// grant lets waiting computations begin in their order, as the limits allow. The caller holds mu.
func (q *queue) grant() {
	for q.waiting.Len() > 0 {
		first := q.waiting.Front()
		t := first.Value.(*turn)
		if q.memory > 0 && t.need > q.memory {
			t.err = q.tooLarge(t.need) // the limit was lowered
			q.waiting.Remove(first)
			close(t.begun)
			continue
		}
		if q.running >= q.slots || q.memory > 0 && q.used+t.need > q.memory {
			return // until a running one has ended
		}
		if q.memory > 0 && q.garbage > 0 && q.used+q.garbage+t.need > q.memory {
			q.clean()
			return
		}
		q.waiting.Remove(first)
		q.running++
		q.used += t.need
		close(t.begun)
	}
}

func (q *queue) tooLarge(need int64) error {
	return fmt.Errorf("%w: %d MiB, of %d MiB", ErrTooLarge, need>>20, q.memory>>20)
}

// clean starts a garbage collection, and calls grant afterwards. The caller holds mu.
func (q *queue) clean() {
	if !q.collecting {
		q.collectBy(q.collect)
	}
}

// collectBy has collect run in another goroutine, and calls grant afterwards. The caller holds mu.
func (q *queue) collectBy(collect func()) {
	q.collecting = true
	known := q.garbage
	go func() {
		collect()
		q.mu.Lock()
		defer q.mu.Unlock()
		q.collecting = false
		q.garbage -= known
		q.grant()
	}()
}
