package passhash

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// ErrTooLarge means that verifying the hash takes more memory than there may be for hashes at all.
var ErrTooLarge = errors.New("verifying the password hash takes more memory than there is")

// OwnMemory is the memory, in bytes, that a hash takes which Hash has made.
const OwnMemory = int64(defaultMemory) << 10

// littleMemory is what bcrypt takes, rounded up.
const littleMemory = 64 << 10

// Memory is how much memory, in bytes, it takes to verify a password against the hash.
func Memory(hash string) int64 {
	if strings.HasPrefix(hash, argon2idPrefix) {
		if h, err := parseArgon2id(hash); err == nil {
			return int64(h.memory) << 10
		}
	}
	return littleMemory
}

// queue bounds how many hashes are computed at one time, and the memory that they hold together. Those who wait get
// their turn in the order in which they came, so that large hashes are not passed over for ever by small ones.
//
// What a hash has used is not free when it ends, but when garbage has been collected. So it counts until
// then, and if nothing but garbage keeps the next hash waiting it is collected at once.
type queue struct {
	collect func() // collects all garbage

	mu         sync.Mutex
	slots      int
	memory     int64 // 0: no bound
	running    int
	used       int64     // by those that run
	garbage    int64     // of those that have ended; not counted without a bound
	collecting bool      // collect runs
	waiting    list.List // of *turn
}

// turn is one who waits.
type turn struct {
	need  int64
	begun chan struct{} // closed when it may begin, or err is set
	err   error
}

func newQueue(slots int) *queue { return &queue{slots: max(slots, 1), collect: runtime.GC} }

// bound changes the bounds, for those who come and wait.
func (q *queue) bound(slots int, memory int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.slots, q.memory = max(slots, 1), memory
	q.grant()
}

// enter waits for a turn with so much memory. Errors: ErrTooLarge, and the context's cause.
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
	case <-t.begun: // at the same moment
		return t.err
	default:
		q.waiting.Remove(place)
		q.grant() // it may have kept smaller ones waiting
		return context.Cause(ctx)
	}
}

// leave ends a turn.
func (q *queue) leave(need int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	q.used -= need
	if q.memory > 0 {
		q.garbage += need
	}
	q.grant()
}

// grant lets those begin whose turn it is. Called with mu.
func (q *queue) grant() {
	for q.waiting.Len() > 0 {
		first := q.waiting.Front()
		t := first.Value.(*turn)
		if q.memory > 0 && t.need > q.memory {
			t.err = q.tooLarge(t.need) // the bound was lowered
			q.waiting.Remove(first)
			close(t.begun)
			continue
		}
		if q.running >= q.slots || q.memory > 0 && q.used+t.need > q.memory {
			return // until one of them has ended
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

// clean collects garbage, and goes on then. Called with mu.
func (q *queue) clean() {
	if q.collecting {
		return
	}
	q.collecting = true
	known := q.garbage
	go func() {
		q.collect()
		q.mu.Lock()
		defer q.mu.Unlock()
		q.collecting = false
		q.garbage -= known
		q.grant()
	}()
}
