package config

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
)

const (
	// maxSettle bounds how long a new content must stay the same before it counts.
	maxSettle = 100 * time.Millisecond
	// maxRetry bounds how long a content that was refused is left alone, in intervals.
	maxRetry = 10
)

// Watch reads the file every so often, and at once when it hears from now, until ctx ends, whose
// error it returns. It calls changed with the content once that is first there, and again whenever
// it has become another. What changed returns an error for is offered again while the file stays
// as it is, ever more rarely, but at least every ten intervals: what it lacked may have come. A
// file that is missing, empty, unreadable or still being written is waited for, so a volume that
// is being swapped, as the kubelet does, is no event. changed is called by the caller's goroutine,
// and should be told of contents by nobody else: Watch compares the file with what it offered last.
//
// The content itself is compared: no watch descriptors, no time stamps, nothing that a symbolic
// link, a network file system or a coarse clock could hide.
func Watch(ctx context.Context, file string, every time.Duration, now <-chan struct{}, changed func(data []byte) error) error {
	if every <= 0 {
		return fmt.Errorf("watch %s: the interval %s is not above zero", file, every)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var offered offer
	asked := false
	for {
		if data := read(file); data != nil && (asked || offered.due(data)) {
			if !asked && offered.differs(data) {
				settled, err := settle(ctx, file, data, min(every, maxSettle))
				if err != nil {
					return err
				}
				if !settled {
					data = nil
				}
			}
			if data != nil {
				offered.note(data, changed(bytes.Clone(data)), every)
			}
		}
		asked = false
		select {
		case <-tick.C:
		case <-now:
			asked = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settle reports whether the file still holds the same after a while: a writer that is half-way
// through may have left a shorter file that is valid.
func settle(ctx context.Context, file string, data []byte, after time.Duration) (bool, error) {
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
		return bytes.Equal(data, read(file)), nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// offer is the content that was offered last.
type offer struct {
	data    []byte
	refused bool
	wait    time.Duration // until it is offered again
	next    time.Time     // when that is
}

func (o *offer) differs(data []byte) bool { return !bytes.Equal(data, o.data) }

func (o *offer) due(data []byte) bool {
	return o.differs(data) || o.refused && !time.Now().Before(o.next)
}

func (o *offer) note(data []byte, err error, every time.Duration) {
	if o.wait *= 2; o.differs(data) || !o.refused {
		o.wait = every
	}
	o.wait = min(o.wait, maxRetry*every)
	o.data, o.refused, o.next = data, err != nil, time.Now().Add(o.wait)
}

// read returns the content, or nil if there is none.
func read(file string) []byte {
	data, err := os.ReadFile(file) //nolint:gosec // what the caller has named
	if err != nil || len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	return data
}
