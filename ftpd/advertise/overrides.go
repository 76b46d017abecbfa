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

// Overrides holds several addresses and resolves each of them like a Resolver. It is safe for concurrent use.
type Overrides struct {
	log    *slog.Logger
	lookup lookupFunc
	wake   chan struct{} // holds a token after Set has changed something

	mu      sync.Mutex
	entries map[string]*entry
}

// entry is one address and its Resolver.
type entry struct {
	*Resolver
	cancel context.CancelFunc // ends the Resolver's Run; nil until Run was started
}

// NewOverrides returns Overrides without addresses.
func NewOverrides(log *slog.Logger) *Overrides {
	dns := &net.Resolver{PreferGo: true}
	return newOverrides(log, dns.LookupNetIP)
}

func newOverrides(log *slog.Logger, lookup lookupFunc) *Overrides {
	return &Overrides{log: log, lookup: lookup, wake: make(chan struct{}, 1), entries: map[string]*entry{}}
}

// Set sets the IP addresses and host names to hold. Those that were held already keep their answers.
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

// Addr returns the IPv4 (want4) or IPv6 address for one of the addresses that were set, or the zero Addr if there is
// none. It never blocks.
func (b *Overrides) Addr(address string, want4 bool) netip.Addr {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[address]; e != nil {
		return e.Addr(want4)
	}
	return netip.Addr{}
}

// Err returns, for each host name that could not be resolved at the last attempt, its error, all joined.
func (b *Overrides) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, e := range b.entries {
		errs = append(errs, e.Err())
	}
	return errors.Join(errs...)
}

// Run resolves host names until ctx ends, and leaves no goroutine behind. It must be called only once.
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

// begin starts the Resolvers that are not running yet.
func (b *Overrides) begin(ctx context.Context, running *sync.WaitGroup) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for address, e := range b.entries {
		if _, err := netip.ParseAddr(address); err == nil || e.cancel != nil {
			continue // there is nothing to resolve, or the Resolver runs already
		}
		own, cancel := context.WithCancel(ctx)
		e.cancel = cancel
		running.Go(func() {
			defer cancel()
			e.Run(own)
		})
	}
}
