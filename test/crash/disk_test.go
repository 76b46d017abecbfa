package crash

import (
	"math/rand/v2"
	"sync"
)

const (
	diskSize = 96 << 20
	sector   = 4 << 10 // what a disk writes whole or not at all, in bytes
)

// disk is a disk with a cache that is lost with the power. It logs what is written to it.
type disk struct {
	mu   sync.Mutex
	now  []byte // what reads see
	base []byte // the content when the log was empty
	log  []request
}

// request is one write to a disk, or a flush of its cache.
type request struct {
	offset int
	data   []byte // nil for a flush
}

func newDisk() *disk { return &disk{now: make([]byte, diskSize), base: make([]byte, diskSize)} }

func (d *disk) write(offset int, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	copy(d.now[offset:], data)
	d.log = append(d.log, request{offset, append(make([]byte, 0, len(data)), data...)})
}

func (d *disk) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, request{})
}

func (d *disk) read(offset int, p []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	copy(p, d.now[offset:])
}

// logged returns the number of requests that have come.
func (d *disk) logged() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.log)
}

// startLog empties the log: what is on the disk now is durable.
func (d *disk) startLog() {
	d.mu.Lock()
	defer d.mu.Unlock()
	copy(d.base, d.now)
	d.log = nil
}

// loss is what a disk loses of the writes that came after its last flush.
type loss int

const (
	losesAll  loss = iota // all of them
	losesSome             // each sector with the probability 1/2
	losesTail             // all from one of them on
	losesNone             // none: they were written in their order
	losses
)

// crashed returns a disk as it is found after a crash that came when it had been sent n requests of its log.
func (d *disk) crashed(n int, l loss, chance *rand.Rand) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := newDisk()
	copy(after.now, d.base)
	flushed := n
	for flushed > 0 && d.log[flushed-1].data != nil {
		flushed--
	}
	for _, r := range d.log[:flushed] {
		copy(after.now[r.offset:], r.data)
	}
	pending := d.log[flushed:n]
	switch l {
	case losesAll:
		pending = nil
	case losesTail:
		pending = pending[:chance.IntN(len(pending)+1)]
	}
	for _, r := range pending {
		for at := 0; at < len(r.data); {
			end := min(len(r.data), (r.offset+at)/sector*sector+sector-r.offset)
			if l != losesSome || chance.IntN(2) == 0 {
				copy(after.now[r.offset+at:], r.data[at:end])
			}
			at = end
		}
	}
	return after
}
