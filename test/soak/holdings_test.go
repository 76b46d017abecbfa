package soak

import (
	"context"
	"fmt"
)

// holdings are the resources that the daemon must release.
type holdings struct {
	sessions, transfers, reservations, waiting, ports int
	goroutines, descriptors                           int
	heap                                              int // bytes, after a collection
}

// holds asks the daemon for its holdings.
func (d *daemon) holds(ctx context.Context) (holdings, error) {
	// Collect twice: pooled objects survive one collection.
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

// heapSlack is the allowed growth of the heap: what the daemon caches meanwhile, such as passwords that were
// verified.
const heapSlack = 4 << 20

// leaks describes the resources of which there are more than before; "" if there are none.
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
