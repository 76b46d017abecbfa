package advertise

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Overrides keeps several addresses, each as a Resolver does. It is safe for concurrent use.
type Overrides struct {
	log    *slog.Logger
	lookup lookupFunc
	wake   chan struct{} // holds a token when Set has changed something

	mu      sync.Mutex
	entries map[string]*entry
}

// entry is one address.
type entry struct {
	*Resolver
	cancel context.CancelFunc // of its Run, once that was begun
}

// NewOverrides returns a book without addresses.
func NewOverrides(log *slog.Logger) *Overrides {
	dns := &net.Resolver{PreferGo: true}
	return newBook(log, dns.LookupNetIP)
}

func newBook(log *slog.Logger, lookup lookupFunc) *Overrides {
	return &Overrides{log: log, lookup: lookup, wake: make(chan struct{}, 1), entries: map[string]*entry{}}
}

// Set gives the IP addresses and host names to keep from now on. Those that were kept already
// stay as they are.
func (b *Overrides) Set(addresses []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for address, e := range b.entries {
		if slices.Contains(addresses, address) {
			continue
		}
		if e.cancel != nil {
			e.cancel()
		}
		delete(b.entries, address)
	}
	for _, address := range addresses {
		if b.entries[address] == nil {
			e := &entry{Resolver: newResolver(b.log, b.lookup)}
			e.Set(address)
			b.entries[address] = e
		}
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Addr returns the IPv4 (want4) or IPv6 address that one of the addresses stands for, or the zero
// Addr. It never blocks.
func (b *Overrides) Addr(address string, want4 bool) netip.Addr {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[address]; e != nil {
		return e.Addr(want4)
	}
	return netip.Addr{}
}

// Err tells which host names could not be resolved the last time they were tried, and why.
func (b *Overrides) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, e := range b.entries {
		errs = append(errs, e.Err())
	}
	return errors.Join(errs...)
}

// Run resolves host names until ctx ends, and leaves no goroutine behind. It is called once.
func (b *Overrides) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		b.begin(ctx, &running)
		select {
		case <-b.wake:
		case <-ctx.Done():
			return
		}
	}
}

// begin runs the resolvers that don't run yet.
func (b *Overrides) begin(ctx context.Context, running *sync.WaitGroup) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for address, e := range b.entries {
		if _, err := netip.ParseAddr(address); err == nil || e.cancel != nil {
			continue // nothing to resolve, or it is being done
		}
		own, cancel := context.WithCancel(ctx)
		e.cancel = cancel
		running.Go(func() {
			defer cancel()
			e.Run(own)
		})
	}
}
