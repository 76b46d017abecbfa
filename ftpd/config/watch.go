package config

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
)

// maxSettle bounds how long a new content must stay the same before it counts.
const maxSettle = 100 * time.Millisecond

// Watch reads the file every so often until ctx ends, whose error it returns. It calls changed
// with the content once that is first there, and again whenever it has become another. A file
// that is missing, empty, unreadable or still being written is waited for, so a volume that is
// being swapped, as the kubelet does, is no event. changed is called by the caller's goroutine.
//
// The content itself is compared: no watch descriptors, no time stamps, nothing that a symbolic
// link, a network file system or a coarse clock could hide.
func Watch(ctx context.Context, file string, every time.Duration, changed func(data []byte)) error {
	if every <= 0 {
		return fmt.Errorf("watch %s: the interval %s is not above zero", file, every)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var current []byte
	for {
		if data := read(file); data != nil && !bytes.Equal(data, current) {
			// A writer that is half-way through may have left a shorter file that is valid.
			settled := time.NewTimer(min(every, maxSettle))
			select {
			case <-settled.C:
			case <-ctx.Done():
				settled.Stop()
				return ctx.Err()
			}
			if bytes.Equal(data, read(file)) {
				current = data
				changed(bytes.Clone(data))
				continue
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read returns the content, or nil if there is none.
func read(file string) []byte {
	data, err := os.ReadFile(file)
	if err != nil || len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	return data
}
