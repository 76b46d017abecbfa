package config

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
)

const (
	// maxSettle is the longest time for which new content must stay the same before it is used.
	maxSettle = 100 * time.Millisecond
	// maxRetry is the longest time before refused content is offered again, in intervals.
	maxRetry = 10
)

// Watch reads the file at the interval every, and at once when now receives a value, until ctx is done; it then
// returns ctx's error. It calls changed with the content of the file once there is any, and again whenever the
// content has changed. If changed returns an error, Watch offers the same content again, less and less often but at
// least every ten intervals, because what was missing may exist by then. Watch ignores a file that is missing, empty,
// unreadable or still being written, so a volume that is being swapped, as the kubelet does, causes no call.
//
// Watch calls changed in the caller's goroutine. No other code should apply contents: Watch compares the file with
// what it has offered last. It compares the content itself and uses neither watch descriptors nor time stamps, which
// symbolic links, network file systems and coarse clocks can make unreliable.
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

// settle reports whether the file still has the same content after a while: a half-written file may be a valid
// shorter one.
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
	wait    time.Duration // time until it is offered again
	next    time.Time     // when it is offered again
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

// read returns the content of the file, or nil if there is none.
func read(file string) []byte {
	data, err := os.ReadFile(file) //nolint:gosec // what the caller has named
	if err != nil || len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	return data
}
