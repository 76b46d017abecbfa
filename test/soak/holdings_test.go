package soak

import (
	"context"
	"fmt"
)

// holdings are what the daemon must give back.
type holdings struct {
	sessions, transfers, reservations, waiting, ports int
	goroutines, descriptors                           int
	heap                                              int // bytes, after a collection
}

// holds asks the daemon what it holds.
func (d *daemon) holds(ctx context.Context) (holdings, error) {
	// Twice: what is pooled survives one collection.
	for range 2 {
		if err := d.collect(ctx); err != nil {
			return holdings{}, err
		}
	}
	m, err := d.scrape(ctx)
	if err != nil {
		return holdings{}, err
	}
	descriptors, _, err := d.descriptors()
	return holdings{
		sessions:     int(m.sum("ftp_sessions")),
		transfers:    int(m.sum("ftp_transfers_active")),
		reservations: int(m.sum("ftp_passive_reservations_pending")),
		waiting:      int(m.sum("ftp_passive_requests_waiting")),
		ports:        int(m.sum("ftp_passive_ports_in_use")),
		goroutines:   int(m.sum("go_goroutines")),
		descriptors:  descriptors,
		heap:         int(m.sum("go_memstats_heap_alloc_bytes")),
	}, err
}

// heapSlack is how much more of the heap may be in use than before: what the program has learnt
// meanwhile, such as passwords that were right.
const heapSlack = 4 << 20

// leaks tells what is more than before; "" if nothing is.
func (h holdings) leaks(before holdings) string {
	text := ""
	for _, part := range []struct {
		name      string
		now, then int
	}{
		{"sessions", h.sessions, before.sessions},
		{"transfers", h.transfers, before.transfers},
		{"reservations", h.reservations, before.reservations},
		{"waiting requests", h.waiting, before.waiting},
		{"ports in use", h.ports, before.ports},
		{"goroutines", h.goroutines, before.goroutines},
		{"descriptors", h.descriptors, before.descriptors},
		{"bytes of the heap", h.heap, before.heap + heapSlack},
	} {
		if part.now > part.then {
			text += fmt.Sprintf("%d %s, where %d would be right; ", part.now, part.name, part.then)
		}
	}
	return text
}
